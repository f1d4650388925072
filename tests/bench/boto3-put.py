"""boto3-put.py FILE s3://BUCKET/PREFIX/ - each record of FILE as an object of its own, by a pool of eight threads."""
import json
import multiprocessing.pool
import os
import sys

import boto3

bucket, _, prefix = sys.argv[2].removeprefix("s3://").partition("/")
client = boto3.client("s3", endpoint_url=os.environ["AWS_ENDPOINT_URL"], region_name=os.environ["AWS_REGION"])


def put(line):
    client.put_object(Bucket=bucket, Key=f"{prefix}{json.loads(line)['id']}.json", Body=line.rstrip("\n").encode())


with open(sys.argv[1], encoding="utf-8") as file, multiprocessing.pool.ThreadPool(8) as pool:
    for _ in pool.imap_unordered(put, file, chunksize=16):
        pass
