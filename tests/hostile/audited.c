/* Does nothing by itself. */
int main(void) { return 0; }
