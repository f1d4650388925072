# shellcheck shell=bash
# database.sh - culvert-doctor's checks of the database: connection, clock, and rights on tables.

# check_database [TABLE:RIGHTS ...]: the connection, its clock, and the rights: of r (read), w (insert, update, delete), o (own: to
# vacuum or refresh it) and c (it is made by the flow where it is not there).  TABLE: as the flow's settings name it.
check_database() {
	local status=0 there table
	there=$(pg-copy-out --quiet --connect-wait "$patience" --to csv --query "SELECT current_setting('server_version_num')::int AS v,
	    current_setting('server_version') AS n, round(extract(epoch FROM clock_timestamp())) AS t, pg_is_in_recovery() AS r,
	    current_setting('default_transaction_read_only') AS o, current_setting('server_encoding') AS e, current_database() AS d, current_user AS u,
	    has_database_privilege(current_database(), 'TEMP') AS m" 2>"$notes") || status=$?
	if ((status != 0)); then
		fail_of "$status" database "$(sed -n 's/^pg-copy-out: //p' "$notes" | tail -n 1)" 'see DSN, PGPASSWORD or ~/.pgpass, and pg_hba.conf of the server'
		return
	fi
	IFS=, read -r number name seconds recovery read_only encoding database user _ <<<"$(tail -n 1 <<<"$there" | sed 's/"//g')"
	if ((number < 130000)); then
		bad 78 database "PostgreSQL $name" '13 or newer is needed'
	elif [[ $recovery == t* || $read_only == on ]]; then
		bad 78 database "$database as $user: it is read-only, a standby perhaps" 'connect to the primary: target_session_attrs=read-write'
	elif [[ $encoding != UTF8 ]]; then
		bad 78 database "$database has the encoding $encoding" 'make it with ENCODING UTF8'
	else
		ok database "$database as $user, PostgreSQL ${name%% *}"
	fi
	clock_of 'the database' "@$seconds"
	dsn_without_password
	for table; do
		rights_on "${table%:*}" "${table##*:}"
	done
}
rights_on() {		# rights_on TABLE RIGHTS
	local lacking schema there
	# Of tables that are not there, the right to make them.  to_regclass is an error in a schema that is not ours to look into.
	IFS='|' read -r there schema lacking < <(db -v name="$1" -v rights="$2" 2>&1 <<-'SQL'
	WITH part AS (SELECT parse_ident(:'name') AS p), named AS (
	  SELECT CASE WHEN array_length(p, 1) > 1 THEN p[1] ELSE coalesce((SELECT n.nspname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = relnamespace
	    WHERE relname = p[1] AND nspname = ANY (current_schemas(false)) ORDER BY array_position(current_schemas(false), nspname) LIMIT 1), current_schema()) END AS schema,
	    p[array_length(p, 1)] AS name FROM part
	), found AS (
	  SELECT schema, (SELECT oid FROM pg_namespace WHERE nspname = schema) AS namespace,
	    (SELECT c.oid FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = relnamespace WHERE nspname = schema AND relname = name) AS class,
	    (SELECT relowner FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = relnamespace WHERE nspname = schema AND relname = name) AS owner FROM named
	)
	SELECT CASE WHEN namespace IS NULL THEN 'no schema' WHEN class IS NULL THEN 'none' ELSE 'table' END, schema,
	  concat_ws(', ', CASE WHEN NOT has_schema_privilege(namespace, 'USAGE') THEN 'USAGE on schema ' || quote_ident(schema) END,
	    CASE WHEN class IS NULL AND :'rights' LIKE '%c%' OR :'rights' LIKE '%s%' THEN CASE WHEN NOT has_schema_privilege(namespace, 'CREATE') THEN 'CREATE on schema ' || quote_ident(schema) END END,
	    CASE WHEN :'rights' LIKE '%r%' AND NOT has_table_privilege(class, 'SELECT') THEN 'SELECT' END,
	    CASE WHEN :'rights' LIKE '%w%' AND NOT has_table_privilege(class, 'INSERT') THEN 'INSERT' END,
	    CASE WHEN :'rights' LIKE '%w%' AND NOT has_table_privilege(class, 'UPDATE') THEN 'UPDATE' END,
	    CASE WHEN :'rights' LIKE '%d%' AND NOT has_table_privilege(class, 'DELETE') THEN 'DELETE' END,
	    CASE WHEN :'rights' LIKE '%o%' AND NOT pg_has_role(owner, 'USAGE') THEN 'ownership' END)
	FROM found
	SQL
	) || :
	case $there in
	table | none) ;;
	'no schema') bad 78 "table $1" "there is no schema $schema" "$(if [[ $2 == *c* ]]; then echo "CREATE SCHEMA $schema"; else echo "$missing_mend"; fi)"; return ;;
	*) bad 78 "table $1" "${there#*ERROR:  }" 'see the settings'; return ;;
	esac
	if [[ $there == none && $2 != *c* ]]; then
		bad 78 "table $1" 'it is not there' "$missing_mend"
	elif [[ -n $lacking ]]; then
		bad 77 "table $1" "$user lacks $lacking" "as its owner: $(grant "$1" "$lacking")"
	elif [[ $there == none ]]; then
		ok "table $1" 'not there yet: the first load makes it'
	else
		ok "table $1" 'it is there, with the rights that the flow needs'
	fi
}
missing_mend='the flow makes it'
grant() {		# grant TABLE LACKING
	local right rights='' said=''
	while IFS= read -r right; do
		case $right in
		*' on schema '*) said+="${said:+; }GRANT ${right/ on / ON } TO $user" ;;
		ownership) said+="${said:+; }ALTER TABLE $1 OWNER TO $user" ;;
		?*) rights+="${rights:+, }$right" ;;
		esac
	done <<<"${2//, /$'\n'}"
	echo "${rights:+GRANT $rights ON $1 TO $user${said:+; }}$said"
}
