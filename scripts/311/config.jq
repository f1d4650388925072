# What 311.json configures, for load: lines of tab-separated fields, of which the first says what the line is.
#
#	source	DOMAIN	TABLE	KEY	NEWER
#	dataset	YEAR	ID	SELECT	NEWER	WHOLE	the name of "newer" in the source; whether it has all of our columns
#	missing	YEAR		a wanted year without a dataset
#	configured	BOOLEAN	whether this year has one
#	view	NAME
#	sql	TEXT		a line of the SQL, for psql, that makes the target and the views where they are missing
#
#   --arg years "2019 2020" (empty: all)  --argjson all false (true: datasets of all years)  --arg this_year 2020
# It is an error if the file is not as docs/311.md describes it.

def check(condition; $what): if condition then . else error($what) end;

def checked:
  . as $conf
  | check(all(.domain, .key, .newer; type == "string" and length > 0); "domain, key and newer are names")
  | check(.table | test("^[a-z_][a-z0-9_]*([.][a-z_][a-z0-9_]*)?$"); "table is the name of a table")
  | check(.fields[.key] and .fields[.newer] and all(.fields[]; test("^[a-z ]+([(][0-9, ]+[)])?$"));
      "fields has each column, key and newer too, with its type")
  | check((.datasets | length > 0) and all(.datasets[]; (.year | type == "number")
        and (.id | test("^[a-z0-9]{4}-[a-z0-9]{4}$")) and (.schema == null or $conf.schemas[.schema] != null));
      "datasets has a year, an id and perhaps a schema for each")
  | check(all(.schemas[]?; .[$conf.key] and .[$conf.newer] and all(keys[]; $conf.fields[.]));
      "schemas has names of fields, and always those of key and newer");

# A schema gives our columns' names in a source that calls them otherwise; a column that it leaves out is one that such
# a source does not have.
def dataset($conf):
  (if .schema then $conf.schemas[.schema] else ($conf.fields | with_entries(.value = .key)) end) as $names
  | [$conf.fields | keys_unsorted[] | select($names[.] != null)] as $ours
  | ["dataset", .year, .id, ($ours | map(if $names[.] == . then . else "\($names[.]) AS \(.)" end) | join(",")),
      $names[$conf.newer], (($ours | length) == ($conf.fields | length))];

def ident: "\"" + gsub("\""; "\"\"") + "\"";
def unless_there($name; $sql):
  "SELECT to_regclass('\($name)') IS NULL AS missing \\gset\n\\if :missing\n\($sql)\n\\endif";
def sql:
  unless_there(.table; "CREATE TABLE \(.table) (\n"
    + (.fields | to_entries | map("  \(.key | ident) \(.value),\n") | join(""))
    + "  PRIMARY KEY (\(.key | ident))\n);"),
  (.views[]? | unless_there(.name; "CREATE MATERIALIZED VIEW \(.name) AS \(.sql);\n"
    + if .unique then "CREATE UNIQUE INDEX ON \(.name) (\(.unique | map(ident) | join(", ")));" else "" end));

checked
| . as $conf
| ($years | split(" ") | map(select(. != "") | tonumber)) as $wanted
| [.datasets[].year] as $there
| (["source", .domain, .table, .key, .newer],
   (.datasets[] | select(.year as $year | $all or $wanted == [] or any($wanted[]; . == $year)) | dataset($conf)),
   ($wanted - $there | .[] | ["missing", .]),
   ["configured", any($there[]; . == ($this_year | tonumber))],
   (.views[]? | ["view", .name]) | @tsv),
  ("sql\t" + (sql | split("\n")[]))
