# SQL that makes the target and the views, for psql: what is there already is left alone.

def ident: "\"" + gsub("\""; "\"\"") + "\"";
def unless_there($name; $sql):
  "SELECT to_regclass('\($name)') IS NULL AS missing \\gset\n\\if :missing\n\($sql)\n\\endif";

unless_there(.table; "CREATE TABLE \(.table) (\n"
  + (.fields | to_entries | map("  \(.key | ident) \(.value),\n") | join(""))
  + "  PRIMARY KEY (\(.key | ident))\n);"),
(.views[]? | unless_there(.name; "CREATE MATERIALIZED VIEW \(.name) AS \(.sql);\n"
  + if .unique then "CREATE UNIQUE INDEX ON \(.name) (\(.unique | map(ident) | join(", ")));" else "" end))
