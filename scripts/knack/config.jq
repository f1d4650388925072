# What apps.json configures, for a command of the flow: lines of a name and a value, separated by a tab.
#
#	domain, zone		of all apps: socrata_domain and timezone
#	app, container		true, where there are such
#	.scene, .agol.item, ...	what the container has, by its path
#	.dest.object, ...	of its copies, only the one to the destination
#	.dest.key		the field by which to-knack matches records
#
#   --arg app NAME  --arg container NAME  --arg dest NAME (empty: none)
# It is an error if the file is not as docs/knack.md describes it.

def field: type == "string" and test("^field_[0-9]+(_raw)?$");
def good_container:
  (.key | test("^(object|view)_[0-9]+$")) and (.value | (.scene == null or (.scene | test("^scene_[0-9]+$")))
    and all(.modified_date_field, .location_field; . == null or field)
    and (.socrata == null or (.socrata.dataset | test("^[a-z0-9]{4}-[a-z0-9]{4}$")))
    and (.agol == null or ((.agol.item | type == "string") and (.agol.layer | type == "number")))
    and all(.knack[]?; (.object | test("^object_[0-9]+$")) and ([.fields[] | select(.key)] | length == 1)
      and all(.fields[]; (.to | field) and (.from | . == null or field) and (.by | IN(null, "strip", "connection")))));

if (.apps | type) != "object" then error("apps is an object") else . end
| (.apps[].containers | to_entries[] | if good_container then empty else error("the container \(.key)") end),
  (.apps[$app] as $this
   | $this.containers[$container] as $its
   | ["domain", .socrata_domain], ["zone", .timezone],
     (select($this) | ["app", true]),
     (select($its) | ["container", true], ($its | del(.knack) + {dest: (.knack[$dest]? | . + {
         key: [.fields[]? | select(.key) | .to | rtrimstr("_raw")][0] })}
       | del(.dest.fields) | paths(scalars) as $path | [($path | map("." + tostring) | add), getpath($path)]))
   | select(.[1] != null) | @tsv)
