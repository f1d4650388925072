# The datasets to load, one a line, tab-separated: year, id, what to select, the source's name of the "newer" column,
# and whether it has all of our columns.  A schema gives our columns' names in a source that calls them otherwise; a
# column that it leaves out is one that such a source does not have.
#   --arg years "2019 2020" (empty: all)

. as $conf
| ($years | split(" ") | map(select(. != "") | tonumber)) as $wanted
| .datasets[]
| . as $dataset
| select($wanted == [] or ($wanted | index($dataset.year)))
| (if .schema then $conf.schemas[.schema] else ($conf.fields | with_entries(.value = .key)) end) as $names
| [$conf.fields | keys_unsorted[] | select($names[.] != null)] as $ours
| [ .year, .id,
    ($ours | map(if $names[.] == . then . else "\($names[.]) AS \(.)" end) | join(",")),
    $names[$conf.newer],
    (($ours | length) == ($conf.fields | length)) ]
| @tsv
