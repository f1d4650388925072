#!/usr/bin/env python3
"""orders_oracle.py - an independent reading of zips of orders, and zips to read.

    compare ZIP ...     what the tables in the database should hold after these were loaded, against what they do hold:
                        users, orders, order_line_items, order_summary, value by value; the differences are printed
    make KIND FILE      a zip, or what should be one
    many N FILE [DAY]   N invented orders with two or three items each, a thousand a batch; some are as of that day, from 0 on
    archive FILE        two months of invented orders, a batch a day, as a shop exports them; the same bytes each time
    count ZIP           how many orders and items are in it, as JSON
    rows ZIP            ... and how many users and batches: users, orders, items, batches
"""
import csv
import datetime
import decimal
import io
import json
import random
import subprocess
import sys
import zipfile

COLUMNS = """id closed_at created_at updated_at number note token gateway test total_price subtotal_price total_weight
total_tax taxes_included currency financial_status confirmed total_discounts total_line_items_price cart_token buyer_accepts_marketing name
referring_site landing_site cancelled_at cancel_reason total_price_usd checkout_token reference user_id location_id source_identifier source_url
processed_at device_id app_id browser_ip landing_site_ref order_number processing_method checkout_id source_name fulfillment_status tags
contact_email order_status_url""".split()
MONEY = {"total_price", "subtotal_price", "total_tax", "total_discounts", "total_line_items_price", "total_price_usd"}
TIMES = {"closed_at", "created_at", "updated_at", "processed_at", "cancelled_at"}
CENT = decimal.Decimal("0.01")


# ---- reading ----

def batches(path):
    if path.endswith(".ndjson"):
        yield {"orders": [json.loads(line, parse_float=decimal.Decimal) for line in open(path, encoding="utf-8")]}
        return
    z = zipfile.ZipFile(path)
    for m in z.infolist():
        if m.filename.endswith(".json") and not m.filename.startswith("__MACOSX/"):
            text = z.read(m).decode("utf-8-sig")
            decoder = json.JSONDecoder()
            while text.strip():
                text = text.lstrip()
                batch, end = decoder.raw_decode(text)
                yield batch
                text = text[end:]


def when(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")) if text else None


def money(text):
    return decimal.Decimal(text).quantize(CENT, decimal.ROUND_HALF_UP) if text not in (None, "") else None


def value(name, v):
    if v is None:
        return None
    if name in MONEY:
        return str(money(v))
    if name in TIMES:
        return when(v).astimezone(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M:%S") + "+00"
    return {True: "t", False: "f"}[v] if isinstance(v, bool) else str(v)


EARLIEST = datetime.datetime(1, 1, 1, tzinfo=datetime.timezone.utc)


def wanted(paths):
    users, orders, items = {}, {}, {}

    def keep(table, key, stamp, row):
        stamp = when(stamp) or EARLIEST
        if key not in table or table[key][0] <= stamp:
            table[key] = stamp, row

    for path in paths:
        for batch in batches(path):
            for o in batch["orders"] or []:
                at = o.get("updated_at")
                keep(orders, o["id"], at, o)
                if o.get("user_id") is not None:
                    keep(users, o["user_id"], at, o)
                for i in o.get("line_items") or []:
                    keep(items, i["id"], at, dict(i, order_id=o["id"]))
    return users, orders, items


def wanted_tables(paths):
    users, orders, items = wanted(paths)
    summary = {}
    count = {}
    for _, i in items.values():
        count[i["order_id"]] = count.get(i["order_id"], 0) + (i.get("quantity") or 0)
    for _, o in orders.values():
        if o.get("test") is True:
            continue
        day = o["created_at"][:10] if o.get("created_at") else None
        s = summary.setdefault((day, o.get("currency")), [0, 0] + [decimal.Decimal("0.00")] * 4 + [0])
        if o.get("cancelled_at"):
            s[6] += 1
            continue
        s[0] += 1
        s[1] += count.get(o["id"], 0)
        for at, name in enumerate(["total_line_items_price", "total_discounts", "total_tax", "total_price"]):
            s[2 + at] += money(o.get(name)) or 0
    return {
        "users": {str(k): [str(k)] + [value(n, o.get(n)) for n in ("email", "phone", "customer_locale", "updated_at")]
                  for k, (_, o) in users.items()},
        "orders": {str(k): [value(n, o.get(n)) for n in COLUMNS] for k, (_, o) in orders.items()},
        "order_line_items": {str(k): [value(n, i.get(n)) for n in ("id", "order_id", "variant_id", "product_id", "quantity")]
                             for k, (_, i) in items.items()},
        "order_summary": {f"{d} {c}": [d, c] + [str(int(v)) if v == 0 else str(v) for v in s] for (d, c), s in summary.items()},
    }


QUERIES = {
    "users": ("SELECT id, email, phone, customer_locale, updated_at FROM users", 1),
    "orders": ("SELECT " + ", ".join(COLUMNS) + " FROM orders", 1),
    "order_line_items": ("SELECT id, order_id, variant_id, product_id, quantity FROM order_line_items", 1),
    "order_summary": ("SELECT day, currency, orders, items, gross, discounts, tax, total, cancelled FROM order_summary", 2),
}


def held(query, keys):
    # a mark that no value has, since "" and null differ here
    out = subprocess.run(["psql", "-XAtqc", "SET TimeZone = 'UTC'",
                          "-c", f"COPY ({query}) TO STDOUT (FORMAT csv, NULL '\\N', FORCE_QUOTE *)"], check=True, capture_output=True)
    rows = {}
    for row in csv.reader(io.StringIO(out.stdout.decode())):
        row = [None if v == "\\N" else v for v in row]
        rows[" ".join(str(v) for v in row[:keys])] = row
    return rows


def compare(paths):
    wrong = 0
    for table, want in wanted_tables(paths).items():
        have = held(*QUERIES[table])
        if table == "order_summary":
            for row in have.values():
                row[4:8] = ["0" if v in ("0", "0.00") else v for v in row[4:8]]
        for key in sorted(want.keys() | have.keys()):
            if want.get(key) != have.get(key):
                wrong += 1
                if wrong < 10:
                    print(f"{table} {key}: wanted {want.get(key)}\n    got {have.get(key)}")
        if not want and "empty" not in paths[0]:
            print(f"{table}: nothing was wanted")
            wrong += 1
    return 1 if wrong else 0


# ---- making ----

def order(number, **fields):
    o = {"id": 90000000000 + number, "email": None, "closed_at": None, "created_at": "2017-11-05T00:30:00-04:00",
         "updated_at": "2017-11-06T09:00:00-05:00", "number": number, "note": None, "token": "t%d" % number, "gateway": "", "test": False,
         "total_price": "21.729999999999997", "subtotal_price": "20.0", "total_weight": 0, "total_tax": "1.73", "taxes_included": False,
         "currency": "USD", "financial_status": "paid", "confirmed": True, "total_discounts": "0.00", "total_line_items_price": "20.0",
         "cancelled_at": None, "user_id": 7, "location_id": None, "checkout_id": None, "tags": "", "order_number": 1000 + number,
         "total_discount": None, "line_items": [{"id": 80000000000 + 10 * number, "variant_id": 5, "product_id": 6, "quantity": 2}]}
    o.update(fields)
    return {k: v for k, v in o.items() if v != "absent"}


def batch(*orders, indent=2):
    return json.dumps({"orders": list(orders)}, indent=indent)


def good(z):
    z.writestr("b/", "")
    z.writestr("2017-11-06.json", batch(order(1), order(2, user_id=None, email="web@example.org", phone="", customer_locale="en")))
    z.writestr("2017-11-05.json", batch())
    z.writestr("null.json", '{"orders": null}')
    z.writestr("b/2017-11-04.json", batch(
        order(3, line_items=[]), order(4, line_items=None), order(5, line_items="absent"),
        order(6, line_items=[{"id": 1 << 40, "variant_id": None, "product_id": None, "quantity": 1}]),
        order(7, total_price="52.260000000000005", total_tax="130.64999999999998", subtotal_price="0.005", total_discounts="1.995", total_price_usd="-0.125"),
        order(8, id=(1 << 53) + 1, line_items=[{"id": (1 << 53) + 3, "quantity": 3}, {"id": (1 << 53) + 5, "quantity": 4}]),
        order(9, created_at="2017-11-04T23:59:59-04:00", updated_at="2017-11-05T23:59:59-05:00", user_id=8),
        order(10, updated_at="2017-11-06T14:00:00Z", created_at="2017-11-06T13:00:00Z", user_id=(1 << 53) + 1)))
    # the second is earlier as text and later as an instant
    z.writestr("again.json", batch(order(20, updated_at="2017-11-05T01:30:00-04:00", note="old", gateway="cash"),
                                   order(20, updated_at="2017-11-05T00:45:00-05:00", note="new", line_items=[
                                       {"id": 80000000200, "variant_id": 5, "product_id": 6, "quantity": 9}, {"id": 80000000201, "quantity": 1}]),
                                   order(20, updated_at="2017-11-04T00:30:00-04:00", note="oldest", user_id=7, email="old@example.org")))
    z.writestr("twice.json", batch(order(21), order(21)))
    z.writestr("__MACOSX/b/._x.json", "\0\5\26\7")
    z.writestr("notes.txt", "none")
    z.writestr("mark.json", b"\xef\xbb\xbf" + batch(order(22, note="é 😀 \t \\ \n \"", tags="a, b")).encode())
    z.writestr("unknown.json", '{"page": 1, "orders": [%s], "next": {"orders": [1]}}' % json.dumps(
        order(23, customer={"id": 1, "line_items": []}, extra=[1], line_items=[{"id": 5, "quantity": 1, "title": "x", "tax_lines": [{}]}])))
    z.writestr("money.json", batch(order(24, currency="EUR", cancelled_at="2017-11-06T10:00:00-05:00"), order(25, test=True),
                                   order(26, currency="EUR", total_discounts="5.5"), order(27, currency=None, created_at=None, updated_at=None)))


def sold(rng, number, when, from_web):
    """An order with every field that the shop's export has.  Sums are those of binary doubles, as they came."""
    def dollars(cents):
        return repr(cents / 100)

    items = [{"id": 140_000_000_000 + 30 * number + at, "variant_id": None if rng.random() < .02 else 30_000 + rng.randrange(900),
              "product_id": 9_000 + rng.randrange(300), "quantity": rng.choice((1, 1, 1, 2, 3, 12))} for at in range(min(21, 1 + int(rng.expovariate(.6))))]
    gross = sum(item["quantity"] for item in items) * rng.randrange(150, 4000)
    off = rng.choice((0, 0, 0, gross // 10))
    tax = (gross - off) * 875 // 10000
    total = repr((gross - off) / 100 + tax / 100)
    stamp = when.isoformat()
    device, by_card = rng.randrange(1, 67), rng.random() < .88
    made = order(
        number, id=75_000_000_000 + 7 * number, created_at=stamp, processed_at=stamp, name=f"R{device}-{number}", token=f"{number:032x}",
        updated_at=(when + datetime.timedelta(seconds=rng.choice((0, 2, 86400)))).isoformat(), total_price=total, total_price_usd=total,
        subtotal_price=dollars(gross - off), total_tax=repr(float(total) - (gross - off) / 100), total_discounts="%.2f" % (off / 100),
        total_line_items_price=dollars(gross), gateway=rng.choice(("shopify_payments", "cash", "")), total_weight=rng.randrange(427),
        reference=None if by_card else f"{rng.getrandbits(128):032X}", checkout_id=5_000_000_000 + number if by_card else None,
        user_id=None if from_web else 1_000 + rng.randrange(40), location_id=None if from_web else 1 + number % 5,
        device_id=None if from_web else device, source_name="web" if from_web else "pos",
        source_identifier=None if from_web else f"{1 + number % 5}-{device}-{number}", app_id=None if from_web else 129785,
        email=f"web{number % 50}@example.org" if from_web else "", phone=None if from_web else "", customer_locale="en-US" if from_web else None,
        contact_email="", browser_ip="2001:db8::1" if from_web else "192.0.2.1", landing_site="/?q=a%20b&x=\"" if from_web else None,
        landing_site_ref=None, referring_site=None, source_url=None, cart_token=None, checkout_token=f"{number * 3:032x}", cancel_reason=None,
        buyer_accepts_marketing=from_web, processing_method="direct" if by_card else "", fulfillment_status=rng.choice(("fulfilled",) * 9 + (None,)),
        order_status_url=f"https://shop.example/{number}/status?key={number:x}", line_items=items,
        note=rng.choice(("gift: é 😀", "two\nlines\t\\", "")) if rng.random() < .01 else None)
    if rng.random() < .01:
        made |= {"cancelled_at": stamp, "cancel_reason": "customer"}
    return made | {"test": True} if number == 77 else made


def archive(path):
    rng, number, days = random.Random("archive"), 0, []
    for at in range(62):
        day = datetime.date(2017, 10, 30) + datetime.timedelta(days=at)
        zone = datetime.timezone(datetime.timedelta(hours=-4 if day < datetime.date(2017, 11, 5) else -5))
        orders = []
        for _ in range(1 + int(rng.expovariate(1 / 26))):
            number += 1
            when = datetime.datetime.combine(day, datetime.time(rng.randrange(24), rng.randrange(60), rng.randrange(60)), zone)
            orders.insert(0, sold(rng, number, when, rng.random() < .08))
        text = batch(*orders)
        if day == datetime.date(2017, 11, 23):
            text = '{\n  "orders": null\n}'
        if day == datetime.date(2017, 12, 25):
            text = batch()
        days.append((f"{day}.json", text))
    rng.shuffle(days)
    days[20:20] = [("export/", "")]
    days[21:40] = [("export/" + name, text) for name, text in days[21:40]]
    days[30:30] = [("__MACOSX/", ""), ("__MACOSX/export/._" + days[22][0][-15:], "\0\5\26\7")]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as z:
        for name, text in days:
            about = zipfile.ZipInfo(name, (2018, 1, 1, 0, 0, 0))
            about.compress_type = zipfile.ZIP_STORED if name.endswith("/") else zipfile.ZIP_DEFLATED
            z.writestr(about, text)


class Pipe(io.RawIOBase):       # what can't seek gets sizes behind the data
    def __init__(self, f):
        self.f = f

    def writable(self):
        return True

    def write(self, b):
        return self.f.write(b)


BAD = {         # one member each
    "no-orders": '{"order": []}',
    "not-json": batch(order(1))[:-40],
    "no-object": "[1]",
    "huge-price": batch(order(1), order(2, total_price="1000000000000.00"), order(3)),
    "bad-price": batch(order(1), order(2, total_price="12,50"), order(3)),
    "bad-time": batch(order(1), order(2, created_at="yesterday")),
    "huge-id": batch(order(1, id=1 << 63)),
    "float-id": batch(order(1, id=1.5)),
    "nul": batch(order(1, note="a\0b")),
    "no-id": batch(order(1), order(2, id="absent", note="without an id"), order(3, id=None)),
    "bad-item": batch(order(1), order(2, line_items=[{"id": 1, "quantity": 1}, {"quantity": 5}, {"id": 2, "quantity": "many"}])),
}


def make(kind, path):
    out = open(path, "wb")
    if kind == "bit3":
        with zipfile.ZipFile(Pipe(out), "w") as z:
            z.writestr("1.json", batch(order(1)))
            z.writestr(zipfile.ZipInfo("2.json"), batch(order(2)))
            with z.open("3.json", "w", force_zip64=True) as m:
                m.write(batch(order(3)).encode())
        return
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        if kind in BAD:
            z.writestr("2017-11-01.json", batch(order(90)))
            z.writestr("2017-11-02.json", BAD[kind])
        elif kind == "older":
            z.writestr("1.json", batch(order(1, updated_at="2017-11-01T00:00:00-04:00", note="older", user_id=7, email="older@example.org", line_items=[
                {"id": 80000000010, "quantity": 77}])))
        elif kind == "newer":
            z.writestr("1.json", batch(order(1, updated_at="2018-01-01T00:00:00-05:00", note="newer", total_price="7.77")))
        elif kind == "empty":
            z.writestr("1.json", batch())
        elif kind == "no-byte":
            z.writestr("1.json", batch(order(1, note="newest", updated_at="2030-01-01T00:00:00Z")))
            z.writestr("2.json", "")
        elif kind == "others":
            z.writestr("ORDERS.JSON", batch(order(1)))
        else:
            globals()[kind](z)


def many(n, path, day=0):
    rng = random.Random(n)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as z:
        for start in range(0, n, 1000):
            orders = []
            for i in range(start, min(start + 1000, n)):
                changed = day if i % 3 == 0 else 0
                items = [{"id": 10 * i + k, "variant_id": k, "product_id": i % 50, "quantity": k + 1 + changed} for k in range(2 + i % 2)]
                orders.append(order(
                    i, user_id=rng.randrange(1000) or None, total_price="%.2f" % (i % 997 / 7), location_id=rng.randrange(9),
                    device_id=rng.randrange(99), note=f"made up {changed}", email=f"{i % 77}@example.org", line_items=items,
                    created_at=f"2017-11-{6 + i % 20:02}T10:00:00-05:00", updated_at=f"2017-12-{1 + changed:02}T10:00:00-05:00"))
            z.writestr(f"{start // 1000:06}.json", batch(*orders, indent=None))


if __name__ == "__main__":
    command, *arguments = sys.argv[1:]
    if command == "compare":
        sys.exit(compare(arguments))
    if command == "count":
        _, all_orders, all_items = wanted(arguments)
        print(json.dumps([len(all_orders), len(all_items)]))
    elif command == "rows":
        print(*map(len, wanted(arguments)), sum(1 for _ in batches(arguments[0])))
    elif command == "archive":
        archive(*arguments)
    elif command == "make":
        make(*arguments)
    else:
        many(int(arguments[0]), arguments[1], *map(int, arguments[2:]))
