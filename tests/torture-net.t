#!/bin/sh
# Each call that can fail is made to fail in the tools that use libcurl: each malloc, read, write, connect, ... of a short run.
# Slow: 2,500 runs, each against a server that is reset before it and compared after it.
. "$(dirname "$0")/torture/lib.sh"

python3 "$here/servers/make311.py" --rows 20 --years 2020 soda
echo id,n >soda/keys-row1.csv; echo '{"rowIdentifier":"id"}' >soda/keys-row1.json
start_server soda python3 "$here/servers/soda.py" --data soda
start_server slack python3 "$here/servers/slack.py" --hook T0/B0/xyz
# libcurl without a descriptor for a socket reports that it could not connect.
ALSO='open:69'
SLACK_WEBHOOK_URL=$slack/services/T0/B0/xyz
export SLACK_WEBHOOK_URL
STATE=
torture 'soda-fetch' 'malloc write net connect open' \
    soda-fetch --base-url "$soda" --retries 1 --retry-wait 0.01 --page-size 8 x la31-2020
FRESH="post $soda/control {\"replace\":{\"id\":\"keys-row1\",\"rows\":[{\"id\":\"1\",\"n\":\"old\"},{\"id\":\"2\"},{\"id\":\"3\"}]}}"
STATE="get $soda/resource/keys-row1.json?\$order=:id&\$select=id,n"
printf '{"id":%s,"n":"new"}\n' 1 2 null 3 >in
export SOCRATA_KEY_ID=id SOCRATA_KEY_SECRET=secret
for mode in '' --replace; do
	torture "soda-push $mode" 'malloc read write net connect open' \
	    soda-push --base-url "$soda" --retries 1 --retry-wait 0.01 x.y keys-row1 $mode --rejects bad.json
done
FRESH=
STATE=
echo 'loaded' >in
torture 'slack-notify' 'malloc read net connect open' slack-notify

echo '{"x":[{"state":"success","logical_date":"2024-01-03T00:00:00.000000","start_date":"2024-01-04T00:00:03.123456"}]}' >dags.json
start_server airflow python3 "$here/servers/airflow_api.py" --dags dags.json
export AIRFLOW_URL="$airflow" AIRFLOW_USERNAME=admin AIRFLOW_PASSWORD=secret
torture 'airflow-last-run' 'malloc write net connect open' airflow-last-run --retries 1 --retry-wait 0.01 --dag x
echo '[{"item":"0","name":"x","layers":[{"id":0,"fields":[{"name":"id","type":"esriFieldTypeString"}]}]}]' >services.json
start_server agol python3 "$here/servers/arcgis.py" --services services.json
export AGOL_USERNAME=maps AGOL_PASSWORD=secret
FRESH="post $agol/control {\"features\":{\"layer\":\"x/0\",\"features\":[]}}"
STATE="values id $agol/features/x/0"
printf '{"id":"%s"}\n' a b c >in
torture 'agol-push' 'malloc read write net connect open' agol-push --retries 1 --retry-wait 0.01 --portal "$agol" 0 --key id
start_server knack python3 "$here/servers/knack.py" --metadata "$data/knack/metadata.json" --rate 0 --make object_4=5
export KNACK_APP_ID=5d79512148c4af00106d1507 KNACK_API_KEY=0b5c7c2e-1f6a-4b0e-9a64-1d1f2e3d4c5b
FRESH='rm resume'
STATE=
torture 'knack-fetch' 'malloc write net connect open close fsync' \
    knack-fetch --base-url "$knack" --retries 1 --retry-wait 0.01 --page-size 3 --object object_4 --resume resume
MDS_AUTH=oauth:austin:secret-of-ours start_server mds python3 "$here/servers/mds.py" --make 8 --page-size 3
printf '{"mds_api_url":"%s","version":"0.3","auth_type":"oauth","auth_data":{"grant_type":"client_credentials","client_id":"austin",
    "client_secret":"secret-of-ours"},"token_url":"%s/oauth/token","auth_token_res_key":"access_token"}' "$mds" "$mds" >in
FRESH='rm done.json done.json.part'
STATE='file done.json
  file done.json.part'
for mode in '' --envelope; do
	torture "mds-fetch $mode" 'malloc read write net connect open close fsync' mds-fetch --retries 1 --retry-wait 0.01 --config - \
	    --hour 2020-03-01-01 --receipt done.json $mode
done
curl -sS -o control.out -d '{"insert":{"object":"object_10","records":[{"id":"5f000000000000000000000a","field_59":"old"}]}}' "$knack/control"
# One topping, whose id is known, and which had another name.
FRESH="post $knack/control {\"delete\":{\"object\":\"object_10\",\"ids\":[\"5f000000000000000000000a\"]}}
  post $knack/control {\"insert\":{\"object\":\"object_10\",\"records\":[{\"id\":\"5f000000000000000000000a\",\"field_59\":\"old\"}]}}"
STATE="header X-Knack-Application-Id: $KNACK_APP_ID
  header X-Knack-REST-API-Key: $KNACK_API_KEY
  values field_59 $knack/v1/objects/object_10/records"
echo '{"id":"5f000000000000000000000a","field_59":"new"}' >in
torture 'knack-push' 'malloc read write net connect open' knack-push --base-url "$knack" --retries 1 --retry-wait 0.01 \
    --object object_10 --rejects bad.json
FRESH=
STATE=
start_s3 --bucket bkt
curl -sS -o control.out -d '{"objects":{"bkt/p/1":"{\"a\":\n1}","bkt/p/2":"{\"b\":2}{\"c\":}","bkt/p/3":"{}"}}' "$s3/control"
torture 's3-list' 'malloc write net connect open' s3-list --retries 1 --retry-wait 0.01 s3://bkt/p/
# Credentials from a file in the home directory, which is known by its user, and by a process: a lack of memory is not a file
# that does not exist, nor a program that cannot be started.
mkdir -p home/.aws
printf '#!/bin/sh\necho '\''{"Version":1,"AccessKeyId":"%s","SecretAccessKey":"%s"}'\''\n' \
    "$AWS_ACCESS_KEY_ID" "$AWS_SECRET_ACCESS_KEY" >credentials
chmod +x credentials
printf '[default]\ncredential_process = %s\n' "$work/credentials" >home/.aws/config
(
	unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_CONFIG_FILE AWS_SHARED_CREDENTIALS_FILE
	HOME=$work/home
	export HOME
	torture 's3-list of a profile' 'malloc open' s3-list --retries 1 --retry-wait 0.01 s3://bkt/p/
	exit "$failed"
)
failed=$? count=$((count + 4))
FRESH='write file old
  rm file.part'
STATE='file file
  file file.part'
torture 's3-get' 'malloc write net connect open close fsync' \
    s3-get --retries 1 --retry-wait 0.01 --records --rejects bad.json --output file --prefix s3://bkt/p/
# The file that a link names is replaced, and not the link.
: >real; ln -s real link
FRESH='write real old
  rm real.part'
STATE='file link
  file real.part'
torture 's3-get to a link' 'malloc open' \
    s3-get --retries 1 --retry-wait 0.01 --records --rejects bad.json --output link --prefix s3://bkt/p/
run 0 's3-get to a link: it is still one' [ -L link ]
printf '{"key":"p/%d","size":9}\n' 1 3 >in
torture 's3-get of keys' 'malloc read write net connect' s3-get --retries 1 --retry-wait 0.01 --output file s3://bkt
FRESH="post $s3/control {\"reset\":true,\"objects\":{\"bkt/k\":\"old\"}}"
STATE="values key,sha256 $s3/objects
  get $s3/uploads"
seq 900000 >in
# Few, since each run sends seven megabytes.
TORTURE_MOST=15 torture 's3-put of parts' 'read write net connect open process' s3-put --retries 1 --retry-wait 0.01 --part-size 5M s3://bkt/k
# Without memory for the server's reply we do not know the id of the upload that it has begun: the next run aborts that one.
STATE="values key,sha256 $s3/objects"
TORTURE_MOST=15 torture 's3-put of parts, memory' 'malloc' s3-put --retries 1 --retry-wait 0.01 --part-size 5M s3://bkt/k
run 0 's3-put: the next run' s3-put --part-size 5M s3://bkt/k <in
run 0 'leaves no upload' curl -sS "$s3/uploads"
same 'none at all' /dev/null out
FRESH="post $s3/control {\"reset\":true,\"objects\":{\"bkt/1\":null,\"bkt/2\":null,\"bkt/3\":null}}"
STATE=
printf '{"id":%s,"n":"new"}\n' 1 2 null 3 >in
torture 's3-put of records' 'malloc read write net connect open' s3-put --retries 1 --retry-wait 0.01 -j 2 --each 's3://bkt/{id}' --rejects bad.json
FRESH=
done_testing
