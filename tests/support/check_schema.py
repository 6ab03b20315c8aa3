"""Holds JSON to its schema: check_schema.py SCHEMA VALUES, where VALUES is a list in a file. Prints a line a value: what the schema has
against it, or nothing. Ends with 77 where there is no fastjsonschema."""
import json
import sys

try:
    import fastjsonschema
except ImportError as missing:
    print(missing)
    sys.exit(77)

with open(sys.argv[1]) as file:
    validate = fastjsonschema.compile(json.load(file), use_default=False)  # a default is not the value's own
with open(sys.argv[2]) as file:
    values = json.load(file)
for value in values:
    try:
        validate(value)
        print()
    except fastjsonschema.JsonSchemaValueException as wrong:
        print(wrong.message.replace("\n", " "))
