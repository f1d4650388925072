#!/bin/sh
# Credentials, region and endpoint: every source, which comes first, and what is said where one does not work.
. "$(dirname "$0")/lib.sh"
PATH=$(dirname "${CULVERT_BIN:-$top/bin}")/build/vectors:$PATH
unset http_proxy all_proxy ALL_PROXY https_proxy HTTPS_PROXY

start_server url python3 "$here/servers/aws_credentials.py"
export HOME=$work/home
mkdir -p "$HOME/.aws" && cd "$HOME" || exit 1
log() { curl -sS "$url/log"; }
control() { curl -sS -o control.out --data-binary "$1" "$url/control"; grep -q '"ok"' control.out || cat control.out; }
fault() { control "{\"reset\":true,\"faults\":[$1]}"; }
fresh() { control '{"reset":true}'; rm -f .aws/config .aws/credentials; }
# Whatever a test leaves open must end at the stand-in, and not at a real machine's role.
AWS_EC2_METADATA_SERVICE_ENDPOINT=$url AWS_ENDPOINT_URL_STS=$url
export AWS_EC2_METADATA_SERVICE_ENDPOINT AWS_ENDPOINT_URL_STS
# By itself a machine is asked once, and for a second, which a busy one may need for its answer.
export AWS_METADATA_SERVICE_TIMEOUT=60
a() { aws --retry-wait 0.01 --retries 2 "$@"; }
e() { env "$@"; }		# e NAME=VALUE ... aws STEP ...
keys() {		# keys NAME: a profile's keys, which all end in its name
	printf '[%s]\naws_access_key_id = AKID%s\naws_secret_access_key = secret%s\n' "$1" "$1" "$1"
}
lasting() {		# lasting NAME: a profile with the keys that the stand-in knows
	printf '[%s]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n' "$1"
}
role=arn:aws:iam::123456789012:role/reader
answer='{"Version":1,"AccessKeyId":"AKIDprocess","SecretAccessKey":"secretprocess"}'
echo mytoken >identity

# the environment
both='AWS_ACCESS_KEY_ID=AKIDenv AWS_SECRET_ACCESS_KEY=secretenv'
t 'keys in the environment' 0 e $both aws show source renew 3<<'OUT'
AKIDenv secretenv -
the keys in AWS_ACCESS_KEY_ID
the same
OUT
t 'with a session' 0 e $both AWS_SESSION_TOKEN=tokenenv aws show leak 3<<'OUT'
AKIDenv secretenv tokenenv
OUT
said 'leaked: *** ***'
echo secretfile >secret.file
t 'a secret in a file' 0 e AWS_ACCESS_KEY_ID=AKIDenv AWS_SECRET_ACCESS_KEY_FILE=secret.file aws show leak 3<<'OUT'
AKIDenv secretfile -
OUT
said 'leaked: *** -'
run 78 'a key without its secret' e AWS_ACCESS_KEY_ID=AKIDenv aws where
said 'AWS_ACCESS_KEY_ID is set and AWS_SECRET_ACCESS_KEY is not: set both'
run 78 'a secret without its key' e AWS_SECRET_ACCESS_KEY=secretenv aws where
said 'AWS_SECRET_ACCESS_KEY is set and AWS_ACCESS_KEY_ID is not: set both'
t 'an empty variable is none' 0 e AWS_ACCESS_KEY_ID= AWS_SECRET_ACCESS_KEY= AWS_NO_SIGN_REQUEST= AWS_PROFILE= aws source 3<<'OUT'
this machine's role
OUT
t 'nobody' 0 e $both AWS_NO_SIGN_REQUEST=true aws show renew 3<<'OUT'
nobody
the same
OUT
run 78 'a switch that is neither on nor off' e AWS_NO_SIGN_REQUEST=maybe aws show
said 'AWS_NO_SIGN_REQUEST: maybe: want true or false'

# which comes first: each line has the source of the one before taken away
keys default >.aws/credentials
{ keys default | sed 's/default$/config/'; echo "role_arn = $role"; echo 'source_profile = base'; echo "credential_process = echo '$answer'"; } >.aws/config
lasting base >>.aws/credentials
everything="AWS_WEB_IDENTITY_TOKEN_FILE=identity AWS_ROLE_ARN=$role AWS_CONTAINER_CREDENTIALS_FULL_URI=$url/v2/credentials/1"
t 'the environment beats all' 0 e $both $everything aws source 3<<'OUT'
the keys in AWS_ACCESS_KEY_ID
OUT
t 'and AWS_PROFILE, too' 0 e $both $everything AWS_PROFILE=base aws source 3<<'OUT'
the keys in AWS_ACCESS_KEY_ID
OUT
t 'then a role of the profile' 0 e $everything aws source 3<<OUT
the role of profile default in $HOME/.aws/config
OUT
sed -i '/role_arn/d; /source_profile/d' .aws/config
t 'then a web identity' 0 e $everything aws source 3<<'OUT'
the web identity in AWS_WEB_IDENTITY_TOKEN_FILE
OUT
container=AWS_CONTAINER_CREDENTIALS_FULL_URI=$url/v2/credentials/1
t 'then the keys in the credentials file' 0 e "$container" aws source show 3<<OUT
profile default in $HOME/.aws/credentials
AKIDdefault secretdefault -
OUT
rm .aws/credentials
t 'then the process' 0 e "$container" aws source show 3<<OUT
the credential_process of profile default in $HOME/.aws/config
AKIDprocess secretprocess -
OUT
sed -i '/credential_process/d' .aws/config
t 'then the keys in the config file' 0 e "$container" aws source show leak 3<<OUT
profile default in $HOME/.aws/config
AKIDconfig secretconfig -
OUT
said 'leaked: *** -'
rm .aws/config
t 'then the container' 0 e "$container" aws source 3<<'OUT'
the container's credentials (AWS_CONTAINER_CREDENTIALS_FULL_URI)
OUT
t 'and the machine at last' 0 aws source 3<<'OUT'
this machine's role
OUT
control '{"reset":true,"set":{"imds":"off"}}'
run 77 'nobody knows us' aws show
said "no credentials in AWS_ACCESS_KEY_ID, profile default of $HOME/.aws/credentials and $HOME/.aws/config, AWS_WEB_IDENTITY_TOKEN_FILE, AWS_CONTAINER_CREDENTIALS_RELATIVE_URI, or this machine's role ("
said 'this machine has no role: attach an instance profile): set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE'
control '{"reset":true,"set":{"imds":"v2"}}'
run 77 'the machine may not be asked' e AWS_EC2_METADATA_DISABLED=true aws show
said "this machine's role (AWS_EC2_METADATA_DISABLED)"
t 'and was not' 0 log 3</dev/null

# profiles
fresh
{ keys city; keys default; echo; echo '[empty]'; } >.aws/credentials
t 'AWS_PROFILE' 0 e AWS_PROFILE=city aws show source 3<<OUT
AKIDcity secretcity -
profile city in $HOME/.aws/credentials
OUT
t 'AWS_DEFAULT_PROFILE comes first, as in botocore' 0 e AWS_DEFAULT_PROFILE=city AWS_PROFILE=default aws show 3<<'OUT'
AKIDcity secretcity -
OUT
run 78 'no such profile' e AWS_PROFILE=nope aws show
said "AWS_PROFILE: no profile nope: want [nope] in $HOME/.aws/credentials, or [profile nope] in $HOME/.aws/config"
run 78 'no such profile, whoever we are' e $both AWS_PROFILE=nope aws show
t 'a profile without credentials: the next source' 0 e AWS_PROFILE=empty aws source 3<<'OUT'
this machine's role
OUT
printf '\357\273\277# ours\r\n[default]\r\n  AWS_Access_Key_Id=AKIDa\r\n  ; secret\r\n  aws_secret_access_key : secret=a:b \r\n\taws_session_token = tokena\r\n' >.aws/credentials
t 'a mark, CRLF, comments, colons, capitals, indented keys' 0 aws show 3<<'OUT'
AKIDa secret=a:b tokena
OUT
keys default >.aws/credentials
printf '[default]\nregion = eu-west-3\n\n[default]\nregion = eu-west-4\n' >>.aws/credentials
t 'what comes twice: the last' 0 aws show where 3<<'OUT'
AKIDdefault secretdefault -
eu-west-4 - auto supported -
OUT
{ keys 'profile "a b"' | sed 's/profile "a b"$/ab/'; keys 'profile default' | sed 's/profile default$/d/'; keys plain; } >.aws/config
rm .aws/credentials
t 'a name in quotes' 0 e AWS_PROFILE='a b' aws show 3<<'OUT'
AKIDab secretab -
OUT
t '[profile default]' 0 aws show 3<<'OUT'
AKIDd secretd -
OUT
run 78 'a section of the config file without "profile"' e AWS_PROFILE=plain aws show
said '[profile plain] in'
printf '[default]\naws_access_key_id = AKID\n' >.aws/credentials
run 78 'half of the keys' aws show
said "$HOME/.aws/credentials:2: profile default has aws_access_key_id and no aws_secret_access_key"
printf '[default]\naws_secret_access_key = s3cr3t\n' >.aws/credentials
run 78 'the other half' aws show
said "$HOME/.aws/credentials:2: profile default has aws_secret_access_key and no aws_access_key_id"
said_not s3cr3t
for bad in '[default' 'region' '= x' '[]'; do
	printf '# a file\n%s\n' "$bad" >.aws/config
	run 78 "a bad line: $bad" aws show
	said "$HOME/.aws/config:2: "
done
printf 'region = x\n' >.aws/config
run 78 'a key without a section' aws show
said "$HOME/.aws/config:1: a key before the first [section]"
printf '[default]\nregion = a\0b\n' >.aws/config
run 78 'a NUL byte' aws show
said "$HOME/.aws/config:2: a NUL byte"
head -c 1100000 /dev/zero | tr '\0' '#' >.aws/config
run 78 'a huge file' aws show
said "$HOME/.aws/config: more than 1 MiB"
rm .aws/config
mkdir .aws/dir
run 78 'a file that can not be read' e AWS_CONFIG_FILE="$HOME/.aws/dir" aws show
said "$HOME/.aws/dir: Is a directory"
keys elsewhere >elsewhere
t 'other files, below ~' 0 e AWS_SHARED_CREDENTIALS_FILE='~/elsewhere' AWS_CONFIG_FILE=/nonexistent AWS_PROFILE=elsewhere aws show 3<<'OUT'
AKIDelsewhere secretelsewhere -
OUT
if [ "$(id -u)" -ne 0 ]; then
	: >locked && chmod 0 locked
	run 78 'no right to read what a variable names' e AWS_CONFIG_FILE=locked aws where
	said 'AWS_CONFIG_FILE: locked: Permission denied'
	chmod 0 .aws
	run 0 'no right to read what nobody named' e $both aws show
	chmod 700 .aws
fi

# region, endpoint and the rest
fresh
cat >.aws/config <<'INI'
[default]
region = eu-west-1
endpoint_url = https://general.example
services = ours
ca_bundle = /profile.pem
request_checksum_calculation = WHEN_REQUIRED
s3 =
  addressing_style = virtual
  # parts
  multipart_threshold = 64MB

[profile plain]
endpoint_url = https://general.example

[services ours]
s3 =
    endpoint_url = https://s3.example
sts =
    endpoint_url = https://sts.example

[services broken]
s3 =
    endpoint_url = s3.example

[profile badendpoint]
services = broken
[profile badstyle]
s3 =
  addressing_style = dns
[profile badregion]
region = eu west
[profile badsums]
request_checksum_calculation = never
[profile below]
region = us-east-1
  east = 2
INI
t 'of the profile' 0 aws where 3<<'OUT'
eu-west-1 https://s3.example virtual required /profile.pem
OUT
t 'of a profile without services' 0 e AWS_PROFILE=plain aws where 3<<'OUT'
- https://general.example auto supported -
OUT
t 'of the environment' 0 e AWS_REGION=r1 AWS_DEFAULT_REGION=r2 AWS_ENDPOINT_URL_S3=http://a AWS_ENDPOINT_URL=http://b \
	AWS_CA_BUNDLE=/env.pem AWS_REQUEST_CHECKSUM_CALCULATION=when_supported aws where 3<<'OUT'
r1 http://a virtual supported /env.pem
OUT
t 'the general variables' 0 e AWS_DEFAULT_REGION=r2 AWS_ENDPOINT_URL=http://b aws where 3<<'OUT'
r2 http://b virtual required /profile.pem
OUT
t 'endpoints are ignored' 0 e AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true AWS_ENDPOINT_URL=http://b aws where 3<<'OUT'
eu-west-1 - virtual required /profile.pem
OUT
run 78 'an endpoint in the profile that is none' e AWS_PROFILE=badendpoint aws where
said "$HOME/.aws/config:23: endpoint_url s3.example: want http://HOST or https://HOST"
run 78 'an endpoint in the environment that is none' e AWS_ENDPOINT_URL=localhost:9000 aws where
said 'AWS_ENDPOINT_URL: localhost:9000: want http://HOST or https://HOST'
run 78 'an endpoint without a host' e AWS_ENDPOINT_URL_STS=https:// aws where
said 'AWS_ENDPOINT_URL_STS: https://: want http://HOST or https://HOST'
run 78 'a style that is none' e AWS_PROFILE=badstyle aws where
said 'addressing_style dns: want path, virtual or auto'
run 78 'a region that is none' e AWS_PROFILE=badregion aws where
said "$HOME/.aws/config:31: region: \"eu west\" is no region"
run 78 'the same in a variable' e AWS_REGION=evil.example/x aws where
said 'AWS_REGION: "evil.example/x" is no region'
run 78 'checksums that are none' e AWS_PROFILE=badsums aws where
said 'want when_required or when_supported'
run 78 'a value of two lines' e AWS_PROFILE=below aws where
said "$HOME/.aws/config:35: region has a value, and an indented line below it: put it on one line"

# a program
fresh
process() { printf '[default]\ncredential_process = %s\n' "$1" >.aws/config; }
cat >program <<'SH'
#!/bin/sh
{ printf '%s|' "$@"; echo; } >arguments
cat >read
cat answer
SH
chmod +x program
echo '{ "Version": 1, "AccessKeyId": "AK", "SecretAccessKey": "sec/ret", "SessionToken": "to\u006ben", "Expiration": "2999-01-01T00:00:00Z" }' >answer
process "'$HOME/program' plain \"two words\" 'it\"s' a\\ b \"q\\\"q\\x\" ''"
t 'a program' 0 aws show leak 3<<'OUT' <.aws/config
AK sec/ret token for a while
OUT
said 'leaked: *** ***'
t 'its arguments, split as a shell would' 0 cat arguments 3<<'OUT'
plain|two words|it"s|a b|q"q\x||
OUT
t 'it does not read our input' 0 cat read 3</dev/null
echo "$answer" | sed 's/1,/1,"Expiration":"2020-01-01T00:00:00Z",/' >answer
run 77 'what it gives has expired' aws show
said "the credential_process of profile default in $HOME/.aws/config: what it gave expired "
printf '#!/bin/sh\necho asked >>asked\necho '"'%s'"'\n' "$answer" >once
chmod +x once
process ./once
t 'keys that do not expire' 0 aws show show 3<<'OUT'
AKIDprocess secretprocess -
AKIDprocess secretprocess -
OUT
t '... are asked for once' 0 cat asked 3<<'OUT'
asked
OUT
nonsense() {		# nonsense COMMAND MESSAGE
	process "$1"
	run 76 "nonsense of a program: $1" aws show
	said ": $2"
}
nonsense 'echo nonsense' 'prints no JSON object'
nonsense 'echo []' 'prints no JSON object'
nonsense true 'prints no JSON object'
nonsense 'echo {} {}' 'prints no JSON object'
nonsense "echo '{\"Version\":2}'" 'its answer has no "Version": 1'
nonsense "echo '{\"Version\":1}'" 'the answer holds no credentials'
echo "$answer" | sed 's/1,/1,"Expiration":"soon",/' >answer
process ./program
run 76 'an expiry that is no time' aws show
said './program: Expiration "soon" is no time'
process 'head -c 100000 /dev/zero'
run 69 'endless output' aws show
said 'head: prints more than 64 KiB'
process 'sh -c "exit 3"'
run 77 'a program that fails' aws show
said 'sh: its exit status is 3'
process 'sh -c "kill -9 $$"'
run 77 'a program that is killed' aws show
said 'sh: killed by signal 9'
process /nonexistent/program
run 78 'a program that is not there' aws show
said '/nonexistent/program: No such file or directory'
process 'echo "x'
run 78 'a quote that is open' aws show
said "config: a quote is not closed"
process 'echo x\'
run 78 'a backslash at the end' aws show
said "config: it ends in a backslash"
process '""'
run 78 'an empty name' aws show

# the container
fresh
control '{"set":{"container_token":"Basic open"}}'
run 77 'the container wants a token' e "$container" aws show
said "the container's credentials (AWS_CONTAINER_CREDENTIALS_FULL_URI): "
said 'refused (401)'
said 'check AWS_CONTAINER_AUTHORIZATION_TOKEN'
run 0 'the token, past a proxy' e "$container" AWS_CONTAINER_AUTHORIZATION_TOKEN='Basic open' http_proxy=http://127.0.0.1:1 aws show leak
said 'leaked: *** ***'
fault '{"match":"credentials","kind":"nonsense","body":"Basic open","times":-1}'
run 76 'the token is in no message' e "$container" AWS_CONTAINER_AUTHORIZATION_TOKEN='Basic open' aws --retry-wait 0 show
said_not 'Basic open'
control '{"reset":true}'
printf 'Basic open\n' >token
run 0 'the token in a file' e "$container" AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=token aws show
run 77 'the file is read each time' e "$container" AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=token aws \
	show write token 'Basic other' pass 7200 show
said 'refused (401)'
run 78 'no such file' e "$container" AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=gone aws show
said 'AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: gone: No such file'
control '{"reset":true,"set":{"container_token":""}}'
for bad in http://192.0.2.1/ http://169.254.170.2.example/ http://127.0.0.1.example/ ftp://127.0.0.1/ /v2; do
	run 78 "whom the token is not given to: $bad" e AWS_CONTAINER_CREDENTIALS_FULL_URI=$bad aws show
	said "AWS_CONTAINER_CREDENTIALS_FULL_URI: $bad: want https, or http to this machine or its link"
done
fault '{"kind":"status","status":500,"times":2}'
run 0 'two failures and an answer' e "$container" aws --retry-wait 0 --retries 0 show
fault '{"kind":"status","status":500,"times":-1}'
run 69 'three failures' e "$container" aws --retry-wait 0 show
said 'gave up after 3 tries'
fault "{\"kind\":\"redirect\",\"to\":\"$url/elsewhere\"}"
run 76 'a redirect' e "$container" aws show
said 'a redirect that is not followed'
fault '{"kind":"nonsense","body":{"AccessKeyId":"AK"}}'
run 76 'half an answer' e "$container" aws show
said 'v2/credentials/1: the answer holds no credentials'
fault '{"kind":"nonsense","body":{"Code":"Failed","Message":"not today"}}'
run 77 'a refusal that says 200' e "$container" aws show
said 'Failed: not today'

# the machine
fresh
run 0 'version 2' e http_proxy=http://127.0.0.1:1 aws show leak
said 'leaked: *** ***'
log | jq -r '[.method, .path, .headers["x-aws-ec2-metadata-token-ttl-seconds"], (.headers | has("x-aws-ec2-metadata-token"))] | @csv' >got
t 'as asked' 0 cat got 3<<'OUT'
"PUT","/latest/api/token","21600",false
"GET","/latest/meta-data/iam/security-credentials/",,true
"GET","/latest/meta-data/iam/security-credentials/stand-in-role",,true
OUT
control '{"reset":true,"set":{"imds":"v1"}}'
run 0 'version 1, which knows no token' aws show
run 77 'version 1 is not wanted' e AWS_EC2_METADATA_V1_DISABLED=true aws show
said 'answered 404, and AWS_EC2_METADATA_V1_DISABLED forbids to ask without a token'
control '{"reset":true,"set":{"imds":"v2","role":""}}'
run 77 'no role' aws show
said 'this machine has no role'
control '{"reset":true,"set":{"role":"stand-in-role"},"faults":[{"match":"token","kind":"latency","seconds":3600,"times":-1}]}'
run 77 'no answer' e -u AWS_METADATA_SERVICE_TIMEOUT aws show
said 'latest/api/token: no answer for 1 s: gave up after 1 try): set'
fault '{"match":"token","kind":"status","status":500,"times":2}'
run 0 'more tries by the variable' e AWS_METADATA_SERVICE_NUM_ATTEMPTS=3 aws --retry-wait 0 show
run 78 'a number that is none' e AWS_METADATA_SERVICE_TIMEOUT=long aws show
said 'AWS_METADATA_SERVICE_TIMEOUT: long: want a number'
run 78 'an address that is none' e AWS_EC2_METADATA_SERVICE_ENDPOINT=169.254.169.254 aws show
said 'AWS_EC2_METADATA_SERVICE_ENDPOINT: 169.254.169.254: want http:// or https://'
fault '{"match":"stand-in-role","kind":"nonsense"}'
run 77 'nonsense' aws show
said "security-credentials/stand-in-role: "

# The addresses that nobody can choose: a network of its own, where they are.
cat >link.py <<'PY'
import http.server
import json
import sys
import threading
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        path, token = self.path, self.headers.get("Authorization", "none")
        body = json.dumps({"AccessKeyId": f"{self.server.server_address[0]}{path}", "SecretAccessKey": token, "Token": "t"})
        self.send_response(200)
        self.end_headers()
        self.wfile.write(("role" if path.endswith("/security-credentials/") else body).encode())
    def do_PUT(self):
        self.send_error(404)
    def log_message(self, *args):
        pass
for host in sys.argv[1:]:
    server = http.server.ThreadingHTTPServer((host, 80), Handler)
    threading.Thread(target=server.serve_forever).start()
print("ready", flush=True)
PY
cat >link.sh <<'SH'
ip link set lo up && ip addr add 169.254.170.2/32 dev lo && ip addr add 169.254.169.254/32 dev lo || exit 1
mkfifo ready
python3 link.py 169.254.170.2 169.254.169.254 >ready &
pid=$!
read -r _ <ready
AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/v2/x AWS_CONTAINER_AUTHORIZATION_TOKEN='Basic open' aws show
unset AWS_EC2_METADATA_SERVICE_ENDPOINT
aws show
kill $pid
SH
if unshare -rn true 2>err; then
	t 'the container and the machine at their own addresses' 0 unshare -rn sh link.sh 3<<'OUT'
169.254.170.2/v2/x Basic open t
169.254.169.254/latest/meta-data/iam/security-credentials/role none t
OUT
else
	ok 0 'the container and the machine at their own addresses # SKIP no network of our own'
fi

# roles and web identities.  The stand-in checks the signature, so what is signed with was fetched right.
fresh
lasting base >.aws/credentials
cat >.aws/config <<INI
[profile reader]
role_arn = $role
source_profile = base
external_id = city/7
duration_seconds = 900
role_session_name = nightly
region = eu-west-1
[profile second]
role_arn = $role
source_profile = reader
[profile self]
role_arn = $role
source_profile = self
aws_access_key_id = AKIAIOSFODNN7EXAMPLE
aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY
[profile web]
role_arn = $role
web_identity_token_file = identity
[profile onweb]
role_arn = $role
source_profile = web
[profile machine]
role_arn = $role
credential_source = Ec2InstanceMetadata
[profile box]
role_arn = $role
credential_source = EcsContainer
[profile env]
role_arn = $role
credential_source = Environment
[profile forbidden]
role_arn = arn:aws:iam::123456789012:role/forbidden
source_profile = base
[profile badarn]
role_arn = reader
source_profile = base
[profile loop1]
role_arn = $role
source_profile = loop2
[profile loop2]
role_arn = $role
source_profile = loop1
[profile loop]
role_arn = $role
source_profile = loop
[profile mfa]
role_arn = $role
source_profile = base
mfa_serial = arn:aws:iam::123456789012:mfa/me
[profile alone]
role_arn = $role
[profile two]
role_arn = $role
source_profile = base
credential_source = Environment
[profile nowhere]
role_arn = $role
source_profile = gone
[profile nothing]
role_arn = $role
source_profile = empty
[profile empty]
[profile odd]
role_arn = $role
credential_source = Moon
[profile unarmed]
web_identity_token_file = identity
[profile sso]
sso_session = work
sso_account_id = 1
INI
run 0 'a role' e AWS_PROFILE=reader aws show leak
said 'leaked: *** ***'
log | jq -r '.body, .headers.authorization' | sed 's/Credential=\([^/]*\).*\/\([^/]*\/sts\)/\1 \2/; s/Signature.*//' >got
t 'as asked' 0 cat got 3<<OUT
Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Freader&RoleSessionName=nightly&DurationSeconds=900&ExternalId=city%2F7
AWS4-HMAC-SHA256 AKIAIOSFODNN7EXAMPLE eu-west-1/sts/aws4_request, SignedHeaders=content-type;host;x-amz-date, 
OUT
run 0 'a role by a role, with its token' e AWS_PROFILE=second aws show
log | jq -r 'select(.headers["x-amz-security-token"] != null) | .headers.authorization' | grep -o 'SignedHeaders=[^,]*' >got
t 'which is signed' 0 cat got 3<<'OUT'
SignedHeaders=content-type;host;x-amz-date;x-amz-security-token
OUT
run 0 'a role by the keys of its own profile' e AWS_PROFILE=self aws show
run 0 'a web identity of the profile' e AWS_PROFILE=web aws show
run 0 'a role by a web identity' e AWS_PROFILE=onweb aws show
run 0 'a role by the machine' e AWS_PROFILE=machine aws show
run 0 'a role by the container' e AWS_PROFILE=box "$container" aws show
run 77 'a role that is refused' e AWS_PROFILE=forbidden aws show
said "the role of profile forbidden in $HOME/.aws/config: "
said 'refused (403): "AccessDenied: Not authorized to perform sts:AssumeRole": see what the role trusts'
run 77 'a role that is none' e AWS_PROFILE=badarn aws show
said 'answered 400: "ValidationError: reader is invalid"'
for bad in loop1 loop; do
	run 78 "a circle: $bad" e AWS_PROFILE=$bad aws show
	said 'the profiles name each other in a circle'
done
for bad in 'mfa:mfa_serial wants a code' 'alone:role_arn wants one of source_profile and credential_source' \
	'two:role_arn wants only one of source_profile and credential_source' 'nowhere:source_profile gone: no such profile' \
	'nothing:source_profile empty: it has no credentials' 'odd:credential_source Moon: want Environment' \
	'env:credential_source Environment: the environment says nothing of it' \
	'box:credential_source EcsContainer: the environment says nothing of it' \
	'unarmed:a web_identity_token_file wants a role_arn, too' 'sso:sso_session is not supported'; do
	run 78 "profile ${bad%%:*}" e AWS_PROFILE="${bad%%:*}" aws show
	said "${bad#*:}"
done
run 78 'a web identity without a role' e AWS_WEB_IDENTITY_TOKEN_FILE=identity aws show
said 'AWS_WEB_IDENTITY_TOKEN_FILE is set and AWS_ROLE_ARN is not: set both'
web="AWS_WEB_IDENTITY_TOKEN_FILE=identity AWS_ROLE_ARN=$role"
control '{"reset":true}'
run 0 'a web identity of the environment' e $web AWS_ROLE_SESSION_NAME=pod aws show write identity 'mytoken 2' pass 2750 show
log | jq -r '[.body, (.headers | has("authorization"))] | @tsv' | sed 's/.*Role%2F//; s/.*RoleSessionName/RoleSessionName/' >got
t 'as asked, unsigned; the file is read each time' 0 cat got 3<<'OUT'
RoleSessionName=pod&WebIdentityToken=mytoken	false
RoleSessionName=pod&WebIdentityToken=mytoken%202	false
OUT
run 78 'no token' e AWS_ROLE_ARN="$role" AWS_WEB_IDENTITY_TOKEN_FILE=gone aws show
said 'gone: No such file or directory'
: >empty
run 78 'an empty token' e AWS_ROLE_ARN="$role" AWS_WEB_IDENTITY_TOKEN_FILE=empty aws show
said 'empty: no token in it'
head -c 30000 /dev/zero | tr '\0' x >large
run 78 'a huge token' e AWS_ROLE_ARN="$role" AWS_WEB_IDENTITY_TOKEN_FILE=large aws show
said 'large: too large for a token'
control '{"reset":true,"set":{"web_identity_token":"another"}}'
run 77 'a token that is refused' e $web aws show
said 'InvalidIdentityToken: The ID Token provided is not a valid JWT.'
said_not mytoken
fault '{"kind":"status","status":400,"headers":{"Content-Type":"text/xml"},"body":"<ErrorResponse><Error><Code>InvalidIdentityToken</Code><Message>mytoken 2 is not valid</Message></Error></ErrorResponse>"}'
run 77 'a refusal that quotes the token' e $web aws show
said 'InvalidIdentityToken: *** is not valid'
control '{"reset":true,"set":{"web_identity_token":""}}'
refusal='<ErrorResponse><Error><Code>Throttling</Code><Message>Rate exceeded</Message></Error></ErrorResponse>'
throttled='"kind":"status","status":400,"headers":{"Content-Type":"text/xml"},"body":"'$refusal'"'
fault "{$throttled,\"times\":2}"
run 0 'throttled, which passes' e $web aws --retry-wait 0 --retries 2 show
fault "{$throttled,\"times\":-1}"
run 75 'throttled, which does not' e $web aws --retry-wait 0 --retries 2 show
said 'Throttling: Rate exceeded: gave up after 3 tries'
fault '{"kind":"status","status":503,"times":2}'
run 0 'the service fails, and then does not' e $web aws --retry-wait 0 --retries 2 show
fault '{"kind":"nonsense","body":"<a><b></a>","times":-1}'
run 76 'nonsense' e $web aws --retry-wait 0 --retries 1 show
said 'mismatched tag: gave up after 2 tries'
fault '{"kind":"nonsense","body":"<a/>"}'
run 76 'an answer without credentials' e $web aws show
said 'the answer holds no credentials'
control '{"reset":true}'
run 78 'a clock that is off' e AWS_PROFILE=forbidden aws pass 1000 show
said 'this clock is 16 min ahead: set it'
run 78 'and the other way' e AWS_PROFILE=forbidden aws -- pass -1000 show
said 'this clock is 16 min behind: set it'
run 78 'a token does not go over the net in the clear' e $web AWS_ENDPOINT_URL_STS=http://192.0.2.1:80 aws show
said 'plain http would show the credentials to others: use https'
at_aws() { env -u AWS_ENDPOINT_URL_STS https_proxy=http://127.0.0.1:1 "$@"; }
run 69 'where the service is' at_aws $web aws --retries 0 show
said 'AWS_WEB_IDENTITY_TOKEN_FILE: sts.amazonaws.com/: the proxy 127.0.0.1'
run 69 'in a region' at_aws $web AWS_REGION=eu-west-1 aws --retries 0 show
said 'sts.eu-west-1.amazonaws.com/: the proxy 127.0.0.1'
run 69 'in China' at_aws $web AWS_REGION=cn-north-1 aws --retries 0 show
said 'sts.cn-north-1.amazonaws.com.cn/: the proxy 127.0.0.1'
run 0 'AWS_ENDPOINT_URL is for it, too' e -u AWS_ENDPOINT_URL_STS AWS_ENDPOINT_URL="$url" $web aws show

# renewal
fresh
given() {		# given STEP ...: the number of each key, from 1
	"$@" 2>err | awk '/^ASIA/ { if (!($1 in n)) n[$1] = ++k; $0 = n[$1] } { print }'
}
t 'an hour: renewed a quarter of an hour before its end, and not earlier' 0 given aws show pass 2600 show pass 150 show show 3<<'OUT'
1
1
2
2
OUT
control '{"set":{"lifetime":600}}'
t 'ten minutes: when half is over' 0 given aws show pass 250 show pass 100 show 3<<'OUT'
1
1
2
OUT
control '{"set":{"lifetime":3600}}'
t 'the server says that they expired' 0 given aws show renew show 3<<'OUT'
1
renewed
2
OUT
fault '{"match":"latest","kind":"status","status":500,"skip":3,"times":-1}'
t 'while they last, a renewal may fail' 0 given aws show pass 2750 show pass 300 show pass 300 show 3<<'OUT'
1
1
1
1
OUT
said "this machine's role: 127.0.0.1:"
said "can't be renewed yet, and expires in "
[ "$(grep -c "can't be renewed" err)" -eq 2 ]; ok $? 'a word of it in the last ten minutes'
fault '{"match":"latest","kind":"status","status":500,"skip":3,"times":-1}'
run 69 'but no longer' aws show pass 3700 show
said "this machine's role: "
said 'the server failed (500)'
fault '{"match":"latest","kind":"status","status":500,"skip":3,"times":-1}'
t 'where renewing fails, what is there is not lost' 0 given aws show renew show 3<<'OUT'
1
the same
1
OUT
said 'the server failed (500)'
control '{"reset":true,"set":{"lifetime":-600000}}'
t 'a machine whose service is down gives old ones, which work' 0 given aws show show 3<<'OUT'
1
1
OUT
said 'the credentials have expired; going on with them'
run 77 'the container has no such custom' e "$container" aws show
said 'what it gave expired 6000'
control '{"set":{"lifetime":3600}}'
run 0 'many renewals, and each secret is masked' aws show renew renew renew renew renew renew renew renew renew renew renew renew \
	renew renew renew renew renew renew renew renew renew renew renew renew renew renew renew renew renew renew leak
[ "$(grep -c '^renewed$' out)" -eq 30 ]; ok $? 'thirty of them'
said 'leaked: *** ***'
lasting base >.aws/credentials
control '{"reset":true}'
printf '[profile reader]\nrole_arn = %s\nsource_profile = web\n[profile web]\nrole_arn = %s\nweb_identity_token_file = identity\n' \
	"$role" "$role" >.aws/config
t 'a role whose source expires, too' 0 given e AWS_PROFILE=reader aws show pass 3000 show renew 3<<'OUT'
1
2
renewed
OUT
log | grep -o 'Action=[A-Za-z]*' >got
t 'each when it is time' 0 cat got 3<<'OUT'
Action=AssumeRoleWithWebIdentity
Action=AssumeRole
Action=AssumeRoleWithWebIdentity
Action=AssumeRole
Action=AssumeRole
OUT
keys default >.aws/credentials
t 'the file, written anew by a login' 0 aws show renew write .aws/credentials "$(keys default | sed 's/default$/new/')" renew show leak 3<<'OUT'
AKIDdefault secretdefault -
the same
renewed
AKIDnew secretnew -
OUT
said 'leaked: *** -'
process "$HOME/program"
rm .aws/credentials
echo "$answer" >answer
t 'a program that gives the same' 0 aws show renew 3<<'OUT'
AKIDprocess secretprocess -
the same
OUT
fresh
run 69 '--max-time is of the whole run' sh -c '
	curl -sS -o /dev/null --data-binary "{\"faults\":[{\"kind\":\"stall\",\"at\":0,\"times\":-1}]}" "$0/control"
	AWS_CONTAINER_CREDENTIALS_FULL_URI=$0/v2/credentials/1 aws --max-time 0.2 show' "$url"
said 'stopped by --max-time'
done_testing
