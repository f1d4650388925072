# map.jq - records of one Knack app as another one has them: what differs from its own, with the id of the record to update.
# Wants $fields ([[{from, to, key, by, default, ignore_diff}]]) and $theirs (its records); reads records by `inputs`.
def by($how):
  if $how == "strip" and type == "string" then gsub("^\\s+|\\s+$"; "")
  elif $how == "connection" then if type == "array" and length > 0 then map(.identifier | tostring) | join(", ") else null end
  else . end;
# A default never stands in for a value of the source: it is for fields that have no source.
def mapped: . as $record | reduce $fields[0][] as $f ({};
  .[$f.to] = (if $f.from == null then $f.default else $record[$f.from] | by($f.by) end));
def blank: if . == "" or . == [] then null else . end;      # Knack's own ways to say nothing
($fields[0][] | select(.key) | .to) as $key
| [$fields[0][] | select(.ignore_diff | not) | .to] as $compared
| (reduce $theirs[] as $r ({}; .[$r[$key] | tostring] //= $r)) as $known
| inputs | mapped
| $known[.[$key] | tostring] as $there
| . as $ours
| if $there == null then $ours
  elif any($compared[]; . as $f | ($ours[$f] | blank) != ($there[$f] | blank)) then {id: $there.id} + $ours
  else empty end
| with_entries(.key |= rtrimstr("_raw"))     # read by that name, written by the plain one
