// The same in Go, which asks the kernel without libc for everything but what goes through cgo, as Ollama does.
package main

/*
#cgo LDFLAGS: -ldl
#include <dlfcn.h>
#include <stdlib.h>

static void* Open(const char* name) { return dlopen(name, RTLD_NOW); }
static void* Symbol(void* library, const char* name) { return dlsym(library, name); }
*/
import "C"

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"unsafe"
)

var failures int

func expect(held bool, what string) {
	if !held {
		fmt.Fprintln(os.Stderr, "unexpected:", what)
		failures++
	}
}

func open(name string) unsafe.Pointer {
	text := C.CString(name)
	defer C.free(unsafe.Pointer(text))
	return C.Open(text)
}

func symbol(library unsafe.Pointer, name string) unsafe.Pointer {
	text := C.CString(name)
	defer C.free(unsafe.Pointer(text))
	return C.Symbol(library, text)
}

func main() {
	entries, err := os.ReadDir("/opt/scan")
	expect(err == nil && len(entries) > 0, "entries")
	_, err = os.ReadDir("/opt/none")
	expect(err != nil, "a directory that is not there")
	_, err = os.Stat("/opt/scan/present")
	expect(err == nil, "present")
	_, err = os.Stat("/opt/scan/absent")
	expect(err != nil, "absent")
	_, err = os.Stat("/dev/nvidia0")
	expect(err != nil, "node")
	found, err := filepath.Glob("/opt/scan/libscan_*.so")
	expect(err == nil && len(found) == 1, "glob")
	end, err := filepath.EvalSymlinks("/opt/link")
	expect(err == nil && end == "/opt/scan/present", "link")
	outer := open("/opt/scan/libscan_outer.so")
	expect(outer != nil, "outer")
	expect(open("libscan_named.so") != nil, "named")
	expect(open("libscan_cached.so") != nil, "cached")
	expect(open("libscan_none.so.1") == nil, "a library that is not there")
	expect(symbol(outer, "scan_outer") != nil, "symbol")
	expect(symbol(outer, "scan_no_such_symbol") == nil, "a symbol that is not there")
	if len(os.Args) < 2 {
		expect(exec.Command("/proc/self/exe", "child").Run() == nil, "child")
	}
	fmt.Println("done")
	os.Exit(failures)
}
