# shellcheck shell=bash
# secrets.sh - which secrets the Knack flow may find in KNACK_CREDENTIALS, for its commands and for culvert-doctor.  Sourced
# once the settings are read; whoever calls take_secrets has a function secret VARIABLE FILTER.

[[ $KNACK_CREDENTIALS != '~'/* ]] || KNACK_CREDENTIALS=${HOME:-/nonexistent}/${KNACK_CREDENTIALS#'~/'}
# shellcheck disable=SC2016
take_secrets() {
	secret KNACK_APP_ID '.[$app][$env].app_id'
	secret KNACK_API_KEY '.[$app][$env].api_key'
	secret SOCRATA_KEY_ID '.socrata.username'
	secret SOCRATA_KEY_SECRET '.socrata.password'
	secret SOCRATA_APP_TOKEN '.socrata.app_token'
	secret AGOL_USERNAME '.agol.username'
	secret AGOL_PASSWORD '.agol.password'
}
