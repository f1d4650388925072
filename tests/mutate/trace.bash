# For BASH_ENV: every bash notes the lines that it runs in the file MUTATE_TRACE.
exec {BASH_XTRACEFD}>>"$MUTATE_TRACE"
PS4='+@${BASH_SOURCE}@${LINENO}@ '
set -x
