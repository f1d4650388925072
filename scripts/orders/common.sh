# shellcheck shell=bash
# common.sh - the settings of the order flow, and what the variables of the pipeline before us say of them.  After lib.sh.

old_name() {		# old_name OLD NEW
	[[ -z ${!1:-} || -n ${!2:-} ]] || export "$2=${!1}"
}
# read_settings [SOURCE].  The old variables of the database count where nothing else says which one is meant.
read_settings() {
	read_settings_of orders
	SOURCE=${1:-${SOURCE:-${_AWS_S3_URL_SOURCE:-}}}
	[[ -z ${DSN:-}${DSN_FILE:-}${DATABASE_URL:-}${DATABASE_URL_FILE:-} ]] || return 0
	[[ -z ${_PGSQL_DATABASE:-} ]] || : "${_PGSQL_HOSTNAME:=127.0.0.1}"
	old_name _PGSQL_HOSTNAME PGHOST
	old_name _PGSQL_PORT PGPORT
	old_name _PGSQL_USER PGUSER
	old_name _PGSQL_PASS PGPASSWORD
	old_name _PGSQL_DATABASE PGDATABASE
}
