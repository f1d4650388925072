"""s3_operations - what the S3 stand-in does for a request that it let in; do_X is the API's operation X."""
import email.utils
import re
import urllib.parse

from s3_store import (
    CHECKSUMS, MADE_UP_SINCE, Bucket, Object, Part, Upload, assembled, check_digests, list_page, position_of, token_of,
)
from s3_wire import (
    KEPT_HEADERS, check_key, check_read_conditions, kept_headers, local_names, matches, moment, need_length, range_of,
    tag, text_of, url_encoder, xml_reply,
)
from sigv4 import Refused
from standin import Reply

GIB = 1 << 30


class Operations:
    """For a server that has settings, buckets, uploads and denies()."""

    def bucket_of(self, request):
        if request.bucket not in self.buckets:
            raise Refused("NoSuchBucket", BucketName=request.bucket)
        return self.buckets[request.bucket]

    def object_of(self, request, name=None, key=None):
        """The object that is asked for, or of another bucket and key (of a copy's source)."""
        name, key = name or request.bucket, request.key if key is None else key
        if name not in self.buckets:
            raise Refused("NoSuchBucket", BucketName=name)
        object = self.buckets[name].get(key)
        if object is None:
            if self.denies(f"ListObjectsV2 /{name}/"):
                raise Refused("AccessDenied")       # who may not list shall not learn what is there
            raise Refused("NoSuchKey", Key=key)
        return object

    # buckets

    def do_Unsupported(self, request):
        raise Refused("NotImplemented", "The stand-in has none of this")

    def do_ListBuckets(self, request):
        listed = "".join(f"<Bucket>{tag('Name', name)}{tag('CreationDate', moment(MADE_UP_SINCE))}</Bucket>"
                         for name in sorted(self.buckets))
        return xml_reply("ListAllMyBucketsResult", f"<Owner><ID>stand-in</ID></Owner><Buckets>{listed}</Buckets>")

    def do_CreateBucket(self, request):
        if not re.fullmatch("[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", request.bucket):
            raise Refused("InvalidBucketName", BucketName=request.bucket)
        region = self.set["region"]
        if request.body:
            region = local_names(request.body).findtext("LocationConstraint") or region
        with self.lock:
            if request.bucket in self.buckets:
                raise Refused("BucketAlreadyOwnedByYou", BucketName=request.bucket)
            self.buckets[request.bucket] = Bucket(request.bucket, region)
        return Reply(200, b"", "application/xml", {"Location": "/" + request.bucket})

    def do_HeadBucket(self, request):
        self.bucket_of(request)
        return Reply(200, b"", "application/xml")

    def do_DeleteBucket(self, request):
        with self.lock:
            if self.bucket_of(request).objects:
                raise Refused("BucketNotEmpty", BucketName=request.bucket)
            del self.buckets[request.bucket]
        return Reply(204)

    def do_GetBucketLocation(self, request):
        region = self.bucket_of(request).region
        return xml_reply("LocationConstraint", "" if region == "us-east-1" else text_of(region))

    # listings

    def do_ListObjectsV2(self, request):
        return self.list_objects(request, 2)

    def do_ListObjects(self, request):
        return self.list_objects(request, 1)

    def list_objects(self, request, version):
        bucket, query = self.bucket_of(request), request.query
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
        after = query.get("start-after" if version == 2 else "marker", "")
        if "continuation-token" in query:
            after = position_of(query["continuation-token"])
        limit = min(request.whole("max-keys", 1000), 1000)
        if request.quirk == "ignore_limit":
            limit = 5000
        encode = url_encoder(query)
        with self.lock:
            page, last, more = list_page(bucket, after, prefix, delimiter, 0 if request.quirk == "empty_page" else limit)
        if request.quirk == "empty_page":
            last, more = after, True
        if request.quirk == "repeat_page":
            last, more = after, True
        elements = tag("Name", bucket.name) + tag("Prefix", encode(prefix))
        if delimiter:
            elements += tag("Delimiter", encode(delimiter))
        elements += tag("MaxKeys", limit)
        if "encoding-type" in query:
            elements += tag("EncodingType", "url")
        elements += tag("IsTruncated", "true" if more else "false")
        if version == 2:
            elements += tag("KeyCount", len(page))
            if "continuation-token" in query:
                elements += tag("ContinuationToken", query["continuation-token"])
            if more:
                elements += tag("NextContinuationToken", token_of(last))
            if query.get("start-after"):
                elements += tag("StartAfter", encode(query["start-after"]))
        else:
            elements += tag("Marker", encode(after))
            if more and delimiter:
                elements += tag("NextMarker", encode(last))
        elements += "".join(entry_of(bucket, key, encode, query) for key, is_prefix in page if not is_prefix)
        elements += "".join(f"<CommonPrefixes>{tag('Prefix', encode(key))}</CommonPrefixes>"
                            for key, is_prefix in page if is_prefix)
        return xml_reply("ListBucketResult", elements)

    # objects

    def do_GetObject(self, request):
        object = self.object_of(request)
        headers = self.object_headers(request, object)
        try:
            check_read_conditions(request.headers, object)
            span = self.span_of(request, object, headers)
        except Refused as refused:
            if refused.code == "NotModified":
                return Reply(304, b"", headers={name: headers[name] for name in ("ETag", "Last-Modified")})
            raise
        if span is None:
            return Reply(200, object.body, headers.pop("Content-Type"), headers)
        headers["Content-Range"] = f"bytes {span[0]}-{span[1]}/{len(object.body)}"
        return Reply(206, object.body[span[0]:span[1] + 1], headers.pop("Content-Type"), headers)

    do_HeadObject = do_GetObject

    def object_headers(self, request, object):
        headers = {"Content-Type": "binary/octet-stream", "ETag": object.etag, "Accept-Ranges": "bytes",
                   "Last-Modified": email.utils.formatdate(object.modified, usegmt=True)}
        for name, value in object.headers.items():
            headers[name.title() if not name.startswith("x-amz-") else name] = value
        for name in KEPT_HEADERS:
            if "response-" + name in request.query:
                headers[name.title()] = request.query["response-" + name]
        if request.headers.get("x-amz-checksum-mode", "").upper() == "ENABLED" and "range" not in request.headers:
            headers |= object.checksum_headers()
        return headers

    def span_of(self, request, object, headers):
        number = request.whole("partNumber", None)
        if number is None:
            return range_of(request.headers["range"], len(object.body)) if "range" in request.headers else None
        parts = object.parts or (len(object.body),)
        if not 1 <= number <= len(parts):
            raise Refused("InvalidRange", ActualPartCount=len(parts), PartNumberRequested=number)
        if object.parts:
            headers["x-amz-mp-parts-count"] = str(len(parts))
        first = sum(parts[:number - 1])
        return first, first + parts[number - 1] - 1

    def do_PutObject(self, request):
        bucket = self.bucket_of(request)
        check_key(request.key)
        need_length(request)
        if len(request.body) > 5 * GIB:
            raise Refused("EntityTooLarge", ProposedSize=len(request.body), MaxSizeAllowed=5 * GIB)
        headers = kept_headers(request)
        checksum = check_digests(request)
        object = Object(request.body, headers, self.now(), checksum=checksum and (*checksum, "FULL_OBJECT"))
        with self.lock:
            self.check_write_conditions(request, bucket)
            bucket.put(request.key, object)
        return Reply(200, b"", "application/xml", {"ETag": object.etag} | object.checksum_headers())

    def check_write_conditions(self, request, bucket):
        if self.set["ignore_conditions"]:
            return
        object = bucket.get(request.key)
        if "if-none-match" in request.headers:
            if request.headers["if-none-match"].strip() != "*":
                raise Refused("NotImplemented", Header="If-None-Match")
            if object:
                raise Refused("PreconditionFailed", Condition="If-None-Match")
        if "if-match" in request.headers:
            if not object:
                raise Refused("NoSuchKey", Key=request.key)
            if not matches(request.headers["if-match"], object.etag):
                raise Refused("PreconditionFailed", Condition="If-Match")

    def copied(self, request):
        """The source of a copy: its object, once its conditions hold."""
        source = urllib.parse.unquote_to_bytes(request.headers["x-amz-copy-source"].partition("?")[0].replace("+", " "))
        bucket, _, key = source.decode("utf-8", "replace").removeprefix("/").partition("/")
        if not key:
            raise Refused("InvalidArgument", "Invalid copy source object key", ArgumentName="x-amz-copy-source",
                          ArgumentValue="x-amz-copy-source")
        object = self.object_of(request, bucket, key)
        check_read_conditions(request.headers, object, "x-amz-copy-source-")
        return bucket, key, object

    def do_CopyObject(self, request):
        bucket = self.bucket_of(request)
        check_key(request.key)
        from_bucket, from_key, source = self.copied(request)
        replace = request.headers.get("x-amz-metadata-directive", "COPY") == "REPLACE"
        if (from_bucket, from_key) == (request.bucket, request.key) and not replace:
            raise Refused("InvalidRequest", "This copy request is illegal because it is trying to copy an object to "
                          "itself without changing the object's metadata, storage class, website redirect location or "
                          "encryption attributes.")
        headers = kept_headers(request) if replace else source.headers
        object = Object(source.body, headers, self.now())
        with self.lock:
            self.check_write_conditions(request, bucket)
            bucket.put(request.key, object)
        return xml_reply("CopyObjectResult", tag("LastModified", moment(object.modified)) + tag("ETag", object.etag))

    def do_DeleteObject(self, request):
        bucket = self.bucket_of(request)
        with self.lock:
            if "if-match" in request.headers:
                self.check_write_conditions(request, bucket)
            bucket.drop(request.key)
        return Reply(204)

    def do_DeleteObjects(self, request):
        bucket = self.bucket_of(request)
        if not check_digests(request) and "content-md5" not in request.headers:
            raise Refused("InvalidRequest", "Missing required header for this request: Content-MD5")
        root = local_names(request.body)
        keys = [item.findtext("Key") for item in root.findall("Object")]
        if root.tag != "Delete" or not 1 <= len(keys) <= 1000 or not all(keys):
            raise Refused("MalformedXML")
        done, failed = "", ""
        with self.lock:
            for key in keys:
                if self.denies(f"DeleteObject /{bucket.name}/{key}"):
                    failed += f"<Error>{tag('Key', key)}<Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
                    continue
                bucket.drop(key)
                done += f"<Deleted>{tag('Key', key)}</Deleted>"
        return xml_reply("DeleteResult", failed if root.findtext("Quiet") == "true" else done + failed)

    # multipart uploads

    def do_CreateMultipartUpload(self, request):
        self.bucket_of(request)
        check_key(request.key)
        algorithm = request.headers.get("x-amz-checksum-algorithm", "").lower() or None
        if algorithm and algorithm not in CHECKSUMS:
            raise Refused("InvalidRequest", "Checksum algorithm provided is unsupported. Please try again with any of "
                                            "the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]")
        type = request.headers.get("x-amz-checksum-type", "FULL_OBJECT" if algorithm == "crc64nvme" else "COMPOSITE")
        if (algorithm, type) in (("crc64nvme", "COMPOSITE"), ("sha1", "FULL_OBJECT"), ("sha256", "FULL_OBJECT")):
            raise Refused("InvalidRequest", f"The {type} checksum type cannot be used with the {algorithm} checksum "
                                            f"algorithm.")
        upload = Upload(request.bucket, request.key, kept_headers(request), self.now(), algorithm, type)
        with self.lock:
            self.uploads[upload.id] = upload
        headers = {"x-amz-checksum-algorithm": algorithm.upper(), "x-amz-checksum-type": type} if algorithm else {}
        return xml_reply("InitiateMultipartUploadResult", tag("Bucket", request.bucket) + tag("Key", request.key)
                         + tag("UploadId", upload.id), headers)

    def upload_of(self, request):
        self.bucket_of(request)
        upload = self.uploads.get(request.query["uploadId"])
        if upload is None or (upload.bucket, upload.key) != (request.bucket, request.key):
            raise Refused("NoSuchUpload", UploadId=request.query["uploadId"])
        return upload

    def part_number(self, request):
        number = request.whole("partNumber", 0)
        if not 1 <= number <= self.set["max_parts"]:
            raise Refused("InvalidArgument", f"Part number must be an integer between 1 and {self.set['max_parts']}, "
                                             f"inclusive", ArgumentName="partNumber", ArgumentValue=number)
        return number

    def do_UploadPart(self, request):
        upload, number = self.upload_of(request), self.part_number(request)
        need_length(request)
        if len(request.body) > 5 * GIB:
            raise Refused("EntityTooLarge", ProposedSize=len(request.body), MaxSizeAllowed=5 * GIB)
        checksum = check_digests(request)
        if upload.algorithm and upload.type == "COMPOSITE" and (checksum or [None])[0] != upload.algorithm:
            raise Refused("InvalidRequest", f"Checksum Type mismatch occurred, expected checksum Type: "
                          f"{upload.algorithm}, actual checksum Type: {checksum[0] if checksum else 'null'}")
        part = Part(request.body, self.now(), checksum)
        self.keep_part(upload, number, part)
        headers = {f"x-amz-checksum-{checksum[0]}": checksum[1]} if checksum else {}
        return Reply(200, b"", "application/xml", {"ETag": part.etag} | headers)

    def keep_part(self, upload, number, part):
        with self.lock:
            if upload.id not in self.uploads:       # aborted meanwhile
                raise Refused("NoSuchUpload", UploadId=upload.id)
            upload.parts[number] = part

    def do_UploadPartCopy(self, request):
        upload, number = self.upload_of(request), self.part_number(request)
        body = self.copied(request)[2].body
        if "x-amz-copy-source-range" in request.headers:
            text = request.headers["x-amz-copy-source-range"]
            found = re.fullmatch(r"bytes=(\d+)-(\d+)", text)
            if not found or not int(found[1]) <= int(found[2]) < len(body):
                raise Refused("InvalidArgument", f"Range specified is not valid for source object of size: {len(body)}",
                              ArgumentName="x-amz-copy-source-range", ArgumentValue=text)
            body = body[int(found[1]):int(found[2]) + 1]
        part = Part(body, self.now(), None)
        self.keep_part(upload, number, part)
        return xml_reply("CopyPartResult", tag("LastModified", moment(part.modified)) + tag("ETag", part.etag))

    def do_CompleteMultipartUpload(self, request):
        bucket, upload = self.bucket_of(request), self.upload_of(request)
        root = local_names(request.body)
        wanted = [(int(item.findtext("PartNumber", "0")), item) for item in root.findall("Part")
                  if item.findtext("PartNumber", "0").isdigit()]
        if root.tag != "CompleteMultipartUpload" or not wanted or len(wanted) != len(root):
            raise Refused("MalformedXML")
        with self.lock:
            parts = self.chosen_parts(upload, wanted)
            object = assembled(upload, parts, self.now())
            check_whole(request, object)
            self.check_write_conditions(request, bucket)
            if self.uploads.pop(upload.id, None) is None:
                raise Refused("NoSuchUpload", UploadId=upload.id)
            bucket.put(upload.key, object)
        elements = tag("Location", f"{request.base}/{upload.bucket}/{urllib.parse.quote(upload.key)}")
        elements += tag("Bucket", upload.bucket) + tag("Key", upload.key) + tag("ETag", object.etag)
        if object.checksum:
            algorithm, text, type = object.checksum
            elements += tag("Checksum" + algorithm.upper(), text) + tag("ChecksumType", type)
        return xml_reply("CompleteMultipartUploadResult", elements)

    def chosen_parts(self, upload, wanted):
        parts, last = [], 0
        for number, item in wanted:
            if number <= last:
                raise Refused("InvalidPartOrder", UploadId=upload.id)
            part, last = upload.parts.get(number), number
            etag = item.findtext("ETag", "").strip('"')
            if part is None or etag != part.etag.strip('"'):
                raise Refused("InvalidPart", UploadId=upload.id, PartNumber=number, ETag=etag)
            self.check_part_sum(upload, number, part, item)
            parts.append(part)
        for (number, _), part in zip(wanted, parts[:-1]):
            if len(part.body) < self.set["min_part"]:
                raise Refused("EntityTooSmall", ProposedSize=len(part.body), MinSizeAllowed=self.set["min_part"],
                              PartNumber=number, ETag=part.etag.strip('"'))
        return parts

    def check_part_sum(self, upload, number, part, item):
        given = {child.tag.removeprefix("Checksum").lower(): child.text for child in item
                 if child.tag.startswith("Checksum")}
        if upload.algorithm and upload.type == "COMPOSITE" and upload.algorithm not in given:
            raise Refused("InvalidRequest", f"The upload was created using a {upload.algorithm} checksum. The complete "
                          f"request must include the checksum for each part. It was missing for part {number} in the "
                          f"request.")
        for algorithm, text in given.items():
            if part.checksum != (algorithm, text):
                raise Refused("InvalidPart", UploadId=upload.id, PartNumber=number, ETag=part.etag.strip('"'))

    def do_AbortMultipartUpload(self, request):
        with self.lock:
            del self.uploads[self.upload_of(request).id]
        return Reply(204)

    def do_ListParts(self, request):
        upload = self.upload_of(request)
        after, limit = request.whole("part-number-marker", 0), min(request.whole("max-parts", 1000), 1000)
        encode = url_encoder(request.query)
        with self.lock:
            numbers = sorted(n for n in upload.parts if n > after)
            page = numbers[:limit]
            listed = "".join(f"<Part>{tag('PartNumber', n)}{tag('LastModified', moment(upload.parts[n].modified))}"
                             f"{tag('ETag', upload.parts[n].etag)}{tag('Size', len(upload.parts[n].body))}</Part>"
                             for n in page)
        elements = tag("Bucket", upload.bucket) + tag("Key", encode(upload.key)) + tag("UploadId", upload.id)
        elements += tag("StorageClass", "STANDARD") + tag("PartNumberMarker", after)
        elements += tag("NextPartNumberMarker", page[-1] if page else 0) + tag("MaxParts", limit)
        elements += tag("IsTruncated", "true" if len(numbers) > limit else "false")
        return xml_reply("ListPartsResult", elements + listed)

    def do_ListMultipartUploads(self, request):
        bucket, query = self.bucket_of(request), request.query
        prefix, limit = query.get("prefix", ""), min(request.whole("max-uploads", 1000), 1000)
        after = (query.get("key-marker", ""), query.get("upload-id-marker", "\U0010ffff"))
        encode = url_encoder(query)
        with self.lock:
            found = sorted((upload.key, upload.id) for upload in self.uploads.values()
                           if upload.bucket == bucket.name and upload.key.startswith(prefix))
            found = [entry for entry in found if entry > after] if "key-marker" in query else found
            page = found[:limit]
            listed = "".join(f"<Upload>{tag('Key', encode(key))}{tag('UploadId', id)}"
                             f"<Initiator><ID>stand-in</ID></Initiator><Owner><ID>stand-in</ID></Owner>"
                             f"<StorageClass>STANDARD</StorageClass>{tag('Initiated', moment(self.uploads[id].started))}</Upload>" for key, id in page)
        more = len(found) > limit
        elements = tag("Bucket", bucket.name) + tag("KeyMarker", encode(query.get("key-marker", "")))
        elements += tag("UploadIdMarker", query.get("upload-id-marker", "")) + tag("Prefix", encode(prefix))
        if more:
            elements += tag("NextKeyMarker", encode(page[-1][0])) + tag("NextUploadIdMarker", page[-1][1])
        if "encoding-type" in query:
            elements += tag("EncodingType", "url")
        elements += tag("MaxUploads", limit) + tag("IsTruncated", "true" if more else "false")
        return xml_reply("ListMultipartUploadsResult", elements + listed)


def entry_of(bucket, key, encode, query):
    object = bucket.get(key)
    entry = tag("Key", encode(key)) + tag("LastModified", moment(object.modified)) + tag("ETag", object.etag)
    if object.checksum:
        entry += tag("ChecksumAlgorithm", object.checksum[0].upper()) + tag("ChecksumType", object.checksum[2])
    entry += tag("Size", len(object.body))
    if query.get("fetch-owner") == "true" or query.get("list-type") != "2":
        entry += "<Owner><ID>stand-in</ID></Owner>"
    return f"<Contents>{entry}{tag('StorageClass', object.headers.get('x-amz-storage-class', 'STANDARD'))}</Contents>"


def check_whole(request, object):
    """A checksum of the whole that came with Complete."""
    for name, value in request.headers.items():
        algorithm = name.removeprefix("x-amz-checksum-")
        if algorithm in CHECKSUMS and object.checksum and (algorithm, value) != object.checksum[:2]:
            raise Refused("BadDigest", f"The {algorithm.upper()} you specified did not match the calculated checksum.")
    size = request.headers.get("x-amz-mp-object-size")
    if size is not None and size != str(len(object.body)):
        raise Refused("InvalidRequest", f"The provided 'x-amz-mp-object-size' header value {size} does not match what "
                                        f"was computed: {len(object.body)}.")
