"""knackpy-loop.py METADATA OBJECT FILE - the same work with knackpy: its records, formatted, a JSON line each."""
import json
import sys

from knackpy.app import App
from knackpy.fields import field_defs_from_metadata
from knackpy.record import Record

with open(sys.argv[1], encoding="utf-8") as file:
    application = json.load(file)["application"]
zone = App._get_timezone(application["settings"]["timezone"])
fields = [field for field in field_defs_from_metadata(application) if field.obj == sys.argv[2]]
with open(sys.argv[3], encoding="utf-8") as file:
    for line in file:
        print(json.dumps(Record(json.loads(line), fields, None, zone).format(), ensure_ascii=False))
