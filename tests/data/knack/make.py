"""A Knack application that nobody has, and a page of its records with every type of field.

The document has the shape of the one that Knack gives for an application; the keys of objects, fields, scenes and views are
those that the tests name.  Names, people, places and values are made up.  The records' displayed values (field_N) are made from
their raw ones (field_N_raw) by the rules of Knack's API, and not by our tools.
"""
import base64
import datetime
import json
import os
import random

APP = "5d79512148c4af00106d1507"        # of every test that talks to the stand-in
EPOCH = datetime.datetime(1970, 1, 1)

NUMBER = {"mark_decimal": "none", "precision": "2", "rounding": "none", "mark_thousands": "none", "format": "", "pre": "", "post": ""}
DAY = {"calendar": False, "date_format": "mm/dd/yyyy", "default_type": "none", "time_type": "current"}
US = {"input": "address", "format": "US", "enable_geocoding": False, "enable_address_autocomplete": False}
STATUS = {"options": ["active", "inactive", "pending approval"], "default": "active"}


def choice(*options):
    return {"type": "single", "options": list(options), "sorting": "alphabetical", "blank": "Select...", "default": "kn-blank"}


def formula(text):
    return {"formula_field": "Field", "count_field": "Connection", "equation_type": "numeric", "mark_decimal": "period", "equation": text}


def link(to, has="one", belongs_to="many"):
    return {"object": to, "has": has, "belongs_to": belongs_to}


ALL_FIELDS = [          # key, type, name, format, relationship; ! behind the type: required, = unique
    (11, "auto_increment", "Auto Increment"), (125, "short_text=", "id"),
    (6, "multiple_choice!", "Multiple Choice", choice("Plain Crust", "Extra Olives", "Piñon Nuts", "Blue Corn")),
    (7, "short_text!", "Short Text"), (8, "rich_text", "Rich Text"), (10, "number", "Number", NUMBER),
    (12, "date_time", "Date/Time - No Time", DAY | {"time_format": "Ignore Time"}),
    (13, "date_time", "Date/Time - Military", DAY | {"time_format": "HH MM (military)", "default_type": "current"}),
    (14, "date_time", "Date/Time - No Date", {"calendar": False, "date_format": "Ignore Date", "time_format": "HH:MM am", "time_type": "current"}),
    (15, "date_time", "Date/Time - Range", DAY | {"calendar": True, "time_format": "HH:MM am"}),
    (16, "timer", "Timer", {"total_format": "from-to", "minutes": "1", "time_format": "HH:MM am", "date_format": "mm/dd/yyyy"}),
    (17, "file", "File", {"secure": False}), (18, "image", "Image", {"thumbs": [], "source": "upload"}),
    (19, "name", "Name", {"format": "Last, First Middle"}), (20, "email", "Email", {"text_format": "url"}),
    (21, "address", "Address USA", US), (22, "phone", "Phone", {"extension": True, "format": "(999) 999-9999"}),
    (23, "signature", "Signature"), (24, "link", "Link", {"target": "_self", "text_format": "url"}),
    (25, "rating", "Rating", {"max": "5", "allow_half": True}), (9, "concatenation", "Text Formula simple", formula("left({field_7}, 2) of it")),
    (29, "boolean", "Yes/No", {"input": "dropdown", "required": False, "default": False, "format": "yes_no"}),
    (30, "currency", "Currency", {"format": "$"}), (37, "date_time", "MODIFIED_DATE", DAY | {"time_format": "HH:MM am", "time_type": "none"}),
    (38, "boolean", "TEST_RECORD", {"input": "dropdown", "required": False, "default": False, "format": "yes_no"}),
    (50, "image", "Image from Web", {"thumbs": [], "source": "url"}),
    (44, "address", "Address Lat Lon", US | {"input": "lat_long", "enable_geocoding": True}),
    (76, "concatenation", "text formula complex", formula("getDateMonthOfYearName({field_13}) and getDateDayOfWeekName({field_13}) ")),
    (126, "address", "address_international", US | {"format": "international"}),
    (127, "address", "address_international_with_country", US | {"format": "international_country"}),
    (128, "connection", "customer", None, link("object_7", "many")),
    (129, "equation", "Equation", formula("{field_11}/3") | {"mark_decimal": "period", "precision": "0"}),
]
PEOPLE = [("name!", "Name", {"format": "First Last"}), ("email!=", "Email", {"text_format": "url", "label": ""}), ("password!=", "Password"),
          ("multiple_choice!", "User Status", STATUS), ("user_roles", "User Roles")]
OBJECTS = [             # key, name, identifier, sort, fields
    (3, "all_fields", 6, 11, ALL_FIELDS),
    (7, "customers", 42, None, [
        (42, "name", "Name"), (67, "address", "Address", US), (68, "phone", "Phone", {"format": "(999) 999-9999", "extension": False}),
        (70, "average", "Average Spend", NUMBER | {"formula_field": "field_69.field_43"}), (72, "count", "Count of Orders", NUMBER | {"connection": "field_43"})]),
    (4, "orders", 75, 75, [
        (55, "auto_increment", "Order ID"), (43, "connection", "customer", None, link("object_7")),
        (66, "connection", "dishes", None, link("object_2", "many")), (69, "sum", "Order Total", NUMBER | {"formula_field": "field_63.field_66"}),
        (71, "date_time", "Order Date", DAY | {"time_format": "HH MM (military)"}), (73, "multiple_choice", "Order Type", choice("Table", "Parcel", "Gift")),
        (75, "concatenation", "Order Name", formula("{field_55} - {field_43.field_42}")),
        (74, "connection", "order before", {"input": "", "conn_default": "none"}, link("object_4", "one", "one")),
        (77, "concatenation", "customer address", formula("{field_43.field_67} "))]),
    (2, "dishes", 61, 27, [
        (27, "auto_increment", "Dish ID"), (61, "short_text", "Dish Name"), (63, "currency", "Price", {"format": "$"}),
        (65, "connection", "toppings", None, link("object_10", "many", "many"))]),
    (10, "toppings", 59, 60, [(60, "auto_increment", "Topping ID"), (59, "short_text!=", "Topping Name")]),
    (6, "Accounts", None, None, [(32 + at, *field) for at, field in enumerate(PEOPLE)]),
    (15, "Cooks", None, None, [(120 + at, *field) for at, field in enumerate(PEOPLE)]),
]
SCENES = [              # key, name, has a login, views: key, name, type, object, sort, columns
    (1, "Lists", False, [
        (1, "orders by number", "table", 4, 55, [55]), (5, "dishes by number", "table", 2, 27, [27]),
        (6, "all fields, nearly", "table", 3, 11, [11, 6, 7, 8, 10, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 9, 29, 30, 38])]),
    (2, "Settings", None, [(2, "Settings", "form", 6, None, []), (3, "Password", "form", 6, None, [])]),
    (4, "Accounts", True, [(7, "Edit", "form", 6, None, []), (8, "Details", "details", 6, None, [None])]),
    (6, "All fields, behind a login", True, [
        (18, "all fields", "table", 3, 11, [11, 125, 6, 7, 8, 10, 12, 13, 14, 16, 15, 17, 18, 19, 20, 21, 22, 23, 24, 25, 9, 30, 37, 38, 50, 44, 76,
                                            126, 127, 128, 128, 129])]),
    (7, "A form", False, [(12, "a new one", "form", 3, None, [])]),
]


def field_of(number, kind, name, form=None, relationship=None):
    plain = kind.rstrip("!=")
    made = {"type": plain, "required": "!" in kind, "unique": "=" in kind, "user": False, "conditional": False, "rules": [], "validation": [],
            "key": f"field_{number}", "name": name, "_id": f"{number:024x}"}
    if form is not None:
        made["format"] = form
    if relationship is not None:
        made["relationship"] = relationship
    return made


def object_of(number, name, identifier, sort, fields):
    made = {"_id": f"{number:022x}0b", "key": f"object_{number}", "name": name, "type": "StandardObject" if identifier else "UserObject",
            "inflections": {"singular": name.rstrip("s"), "plural": name}, "tasks": [], "status": "current", "user": not identifier,
            "fields": [field_of(*field) for field in fields], "connections": {"inbound": [], "outbound": []}}
    if identifier:
        made["identifier"] = f"field_{identifier}"
    if sort:
        made["sort"] = {"field": f"field_{sort}", "order": "asc"}
    return made


def view_of(number, name, kind, of, sort, columns):
    source = {"object": f"object_{of}", "criteria": {"match": "any", "rules": [], "groups": []}, "limit": ""}
    if sort:
        source["sort"] = [{"field": f"field_{sort}", "order": "asc"}]
    shown = [{"groups": [{"columns": [[]]}]} if column is None else
             {"type": "field", "field": {"key": f"field_{column}"}, "header": f"field {column}", "align": "left"} for column in columns]
    return {"_id": f"{number:022x}0c", "key": f"view_{number}", "name": name, "type": kind, "source": source, "columns": shown}


def scene_of(number, name, login, views):
    made = {"_id": f"{number:022x}0d", "key": f"scene_{number}", "name": name, "slug": name.lower().replace(", ", "-").replace(" ", "-"),
            "views": [view_of(*view) for view in views], "groups": [{"columns": [{"keys": [f"view_{view[0]}" for view in views], "width": 100}]}]}
    return made if login is None else made | {"authenticated": login}


def document():
    return {"application": {
        "name": "A kitchen that nobody has", "description": "Made for tests: each type of field, a form, a login & <tags>.", "id": APP,
        "slug": "kitchen", "home_scene": {"key": "scene_1", "slug": "lists"}, "subdomain": "kitchen", "status": "current", "distributions": [],
        "counts": {"object_3": 25, "total_entries": 25, "asset_size": 0}, "account": {"id": "5" * 24, "slug": "kitchen", "name": "kitchen",
                                                                                     "product_plan": {"level": 1, "api_limit": 1000}},
        "users": {"enabled": True, "registration": "closed", "scope": "scene", "templates": {}}, "session": {}, "payment_processors": [],
        "layout": {"theme": "plain", "app_menu_auth": True}, "design": {"regions": {"header": {"title": {"text": "{{not a template}}"}}}},
        "settings": {"timezone": "Central Time (US & Canada)", "date_format": "mm/dd/yyyy", "language": "en"},
        "objects": [object_of(*one) for one in OBJECTS], "scenes": [scene_of(*one) for one in SCENES]}}


# ---- values: what is displayed and what is raw ----

def stamp(when):
    """Local time, written as if it were UTC.  Midnight is 720 minutes, like noon."""
    minutes = (when.hour % 12 + (12 if when.hour >= 12 else 0)) * 60 + when.minute
    return {"date": f"{when:%m/%d/%Y}", "date_formatted": f"{when:%m/%d/%Y}", "hours": f"{when:%I}", "minutes": f"{when:%M}", "am_pm": f"{when:%p}",
            "unix_timestamp": int((when - EPOCH).total_seconds() * 1000), "iso_timestamp": f"{when:%Y-%m-%dT%H:%M:%S}.000Z",
            "timestamp": f"{when:%m/%d/%Y %I:%M} {when:%p}".lower(), "time": 720 if when.hour == 0 and when.minute == 0 else minutes}


def clock(when):
    return f"{when:%I:%M%p}".lstrip("0").lower()


def day(when):
    return f"{when:%m/%d/%Y}", stamp(when.replace(hour=0, minute=0))


def military(when):
    return f"{when:%m/%d/%Y %H:%M}", stamp(when)


def time_only(when):
    return clock(when), stamp(when.replace(year=2012, month=1, day=1))


def between(start, end, **more):
    return f"{start:%m/%d/%Y} {clock(start)} to {clock(end)}", stamp(start) | {"to": stamp(end)} | more


def timer(*pairs):
    hours = sum((end - start).total_seconds() for start, end in pairs) / 3600
    shown = "<br />".join(f"<span>{start:%m/%d/%y}</span>&nbsp;{clock(start)} to {clock(end)}" for start, end in pairs)
    return f"{shown} = {int(hours)}:{round(hours % 1 * 60):02} hours", {
        "times": [{"from": stamp(start), "to": stamp(end)} for start, end in pairs], "total_time": int(hours * 3600000)}


def asset(field, number, name, size):
    kind, key = ("file" if field == 17 else "image"), f"{number:06x}" * 4
    url = f"https://assets.example.org/{APP}/{key}/original/{name}"
    raw = {"id": key, "application_id": APP, "s3": True, "type": kind, "filename": name, "url": url,
           "thumb_url": "" if kind == "file" else url.replace("original", "thumb"), "size": size, "field_key": f"field_{field}"}
    if kind == "image":
        return f'<img src="{url}" />', raw
    return (f'<a class="kn-view-asset" data-field-key="field_{field}" data-asset-id="{key}" data-file-name="{name}" href="{url}">{name}</a>'), raw


def from_web(url):
    return f'<img src="{url}" />', url


def person(first, last, middle=None, title=None):
    raw = {"title": title, "first": first, "middle": middle, "last": last}
    return f"{last}, {first}" + (f" {middle}" if middle else ""), {key: value for key, value in raw.items() if value}


def email(address, label=None):
    return f'<a href="mailto:{address}">{label or address}</a>', {"email": address} | ({"label": label} if label else {})


def web(url, label=None):
    return f'<a href="{url}">{label or url}</a>', {"url": url} | ({"label": label} if label else {})


def phone(digits, extension=None):
    area, number = (digits[:3], digits[3:]) if len(digits) == 10 else ("", digits)
    shown = f"({area}) {number[:3]}-{number[3:]}" if area else digits
    raw = {"area": area, "number": number, "full": digits, "formatted": shown, "ext": extension}
    return f'<a href="tel:{digits}">{shown}</a>' + (f" x{extension}" if extension else ""), {key: value for key, value in raw.items() if value}


def address(**parts):
    lines = [parts.get("street"), parts.get("street2"),
             " ".join(filter(None, [", ".join(filter(None, [parts.get("city"), parts.get("state")])), parts.get("zip")])), parts.get("country")]
    return "<br />".join(filter(None, lines)), parts


def signature(path, half=False):
    svg = f'<?xml version="1.0" encoding="UTF-8" standalone="no"?><svg xmlns="http://www.w3.org/2000/svg" version="1.1"><path d="{path}"/></svg>'
    shown = f'<img src="data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}" />'
    return shown, {"svg": svg} if half else {"base30": path.replace(" ", "_"), "svg": svg}


def connected(*links):
    return "<br />".join(f'<span class="{key}">{name}</span>' for key, name in links), [{"id": key, "identifier": name} for key, name in links]


def same(value):
    return value, value


def at(text):
    return datetime.datetime.fromisoformat(text)


ADA, BO = ("5e" + "a" * 22, "Ada Quintero"), ("5e" + "b" * 22, 'Bo "B." O\'Leary, Jr.')
WRITTEN = {             # record: what somebody typed into it, by field
    1: {125: same("1"), 6: same("Extra Olives"), 7: same("hello <b>bold</b>"),
        8: same("<p><strong>thick</strong> &amp; thin<span></span></p><h1>head</h1><table><tbody><tr><td>1</td></tr></tbody></table>"), 10: same(100),
        12: day(at("2019-09-11")), 13: military(at("2018-07-03T10:26")), 14: time_only(at("2019-09-11T16:14")),
        15: between(at("2019-09-11T16:14"), at("2019-09-11T17:14"), all_day=False), 16: timer((at("2019-09-11T16:14"), at("2019-09-11T17:14"))),
        17: asset(17, 1, "bylaws 2019.pdf", 305741), 18: asset(18, 2, "cart.jpg", 1219841), 19: person("Ada", "Quintero", "Maria", "Dr."),
        20: email("ada@kitchen.example"), 21: address(street="8 Alder Crest Rd", street2="Suite 1", city="Austin", state="TX", zip="78754"),
        22: phone("5125550143"), 23: signature("M 10 65 c 0 -0.42 -0.92 -16.42 0 -24"), 24: web("https://data.example.org/d/sh59-i6y9?a=1&b=%20"),
        25: ("0.00", 0), 30: ("$1,100.43", "1100.43"), 37: (f"09/13/2019 {clock(at('2019-09-13T02:43'))}", stamp(at("2019-09-13T02:43"))),
        50: from_web("kitchen.example/1.png"), 44: address(latitude=30.2672, longitude=-97.7431, state="Texas", country="United States"),
        126: address(street="123 Calle Uno", street2="Int. 22", city="Mérida", state="Yucatán", zip="97000A"),
        127: address(street="9 Nowhere St", city="London", state="London", zip="ZZ9 9ZZ", country="United Kingdom"),
        128: connected(ADA), 38: ("Yes", True)},
    2: {125: same("3"), 6: same("Piñon Nuts"), 7: same("a, b\tc"), 8: same("<p>plain</p>"), 12: day(at("2019-09-11")), 13: military(at("2019-09-11T16:35")),
        14: time_only(at("2019-09-11T00:00")), 15: between(at("2020-03-08T01:30"), at("2020-03-08T03:30")),
        16: timer((at("2020-01-05T17:07"), at("2020-01-05T18:07")), (at("2020-01-06T09:00"), at("2020-01-06T09:20"))),
        17: asset(17, 3, "menü.pdf", 12), 18: from_web("https://images.example.org/direct.gif"), 19: person("Sally", "Lognestnameever-Ōno"),
        20: email("sally@kitchen.example", "write to Sally"), 21: address(street="PO Box 7", city="Austin", state="TX"), 22: phone("5550143"),
        23: signature("M 214 14 l 0 47", half=True), 24: web("http://kitchen.example/menü", "the menu, <i>all</i> of it"), 25: ("3.50", 3.5),
        50: from_web("nothing"), 44: address(city="Lexington", state="Texas", zip="78947", latitude="30.4188", longitude="-97.0117"),
        128: connected(BO, ADA), 38: ("No", False), 10: same(-2.5)},
    3: {125: same("6"), 6: same("Blue Corn"), 7: same("line\nbreak \"quoted\" \\ é 🙂"), 8: same("<ul><li>x</li></ul>"), 10: same(2555),
        12: day(at("2019-09-12")), 13: military(at("2020-11-01T01:30")), 14: time_only(at("2019-09-11T12:00")),
        15: between(at("2019-12-31T23:00"), at("2020-01-01T01:00"), all_day=True, repeat={"frequency": "weekly", "interval": "1", "endson": "never"}),
        16: timer((at("2019-09-11T16:35"), at("2019-09-11T17:35"))), 18: asset(18, 4, "a b.png", 0), 19: person("Stu", "Nobody"),
        20: email("stu@kitchen.example"), 21: address(street="1 Toyon Way", city="Austin", state="TX", zip="78701"), 22: phone("5125550100", "42"),
        23: signature("M 196 41 c 0.96 0 48.99 0.34 55 0"), 25: ("5.00", 5), 37: (f"09/14/2019 {clock(at('2019-09-14T12:00'))}", stamp(at("2019-09-14T12:00"))),
        50: from_web("https://kitchen.example/3.png"), 128: ("", []), 38: ("Yes", True)},
    4: {37: (f"09/12/2019 {clock(at('2019-09-12T23:59'))}", stamp(at("2019-09-12T23:59"))), 24: web("https://example.org"), 44: address(latitude="", longitude=""),
        12: day(at("2019-09-10"))},
    5: {37: (f"11/03/2019 {clock(at('2019-11-03T01:15'))}", stamp(at("2019-11-03T01:15"))), 30: ("$0.05", "0.05"), 44: address(latitude=0, longitude=0)},
}
ORDER = [11, 125, 6, 7, 8, 10, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 9, 29, 30, 37, 38, 50, 44, 76, 126, 127, 128, 129]


def record(number, counter, rng):
    """Of those after the third most fields are blank, and a program made the others."""
    values = dict(WRITTEN.get(number, {}))
    when = datetime.datetime(2020, 8, 17, 19, 18) + datetime.timedelta(minutes=rng.randrange(230000))
    if number % 6 == 0:
        when = when.replace(hour=0, minute=0)
    values.setdefault(11, same(counter))
    values.setdefault(10, same(rng.choice((0, 100, 7.25))))
    values.setdefault(13, military(when))
    values.setdefault(14, time_only(when))
    values.setdefault(15, (f"{when:%m/%d/%Y} {clock(when)}", stamp(when)))
    values.setdefault(29, ("Yes", True) if number % 4 else ("No", False))
    values.setdefault(38, ("No", False))
    # no two the same: the flow's test copies it into a field that is unique
    values.setdefault(128, ("", []) if number % 5 else connected((f"5e{number:022x}", f"Customer {number}")))
    if number > 3 and number % 3 == 0:
        values.setdefault(17, asset(17, 100 + number, f"report {number}.csv", 1000 * number))
    if number > 3 and number % 2 == 0:
        values.setdefault(18, asset(18, 200 + number, f"{number}.jpeg", 1001 * number))
    values[9] = same((values.get(7, ("",))[0])[:2] + " of it")
    stated = datetime.datetime.strptime(values[13][0], "%m/%d/%Y %H:%M")
    values[76] = same(f"{stated:%B} and {stated:%A} ")
    third, rest = divmod(values[11][0], 3)
    values[129] = round(values[11][0] / 3), round(values[11][0] / 3, 8) if rest else third
    made = {"id": "5d7964422d7159001659b27a" if number == 1 else f"5f4f{number:04x}{rng.getrandbits(64):016x}"}
    for field in ORDER:
        made[f"field_{field}"] = values[field][0] if field in values else ""
        if field in values:         # a blank one has no raw value
            made[f"field_{field}_raw"] = values[field][1]
    return made


def records():
    rng, counter, made = random.Random("tests/data/knack"), 0, []
    for number in range(1, 26):
        counter += 1 if number < 4 else rng.randrange(1, 90)
        made.append(record(number, counter, rng))
    return made


def compact(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def make(directory):
    with open(os.path.join(directory, "metadata.json"), "w", encoding="utf-8") as file:
        file.write(compact(document()).replace('{"type":', '\n{"type":').replace('{"_id":', '\n{"_id":') + "\n")
    with open(os.path.join(directory, "all_fields.json"), "w", encoding="utf-8") as file:
        file.write('{"records":[' + ",\n".join(map(compact, records())) + "]}\n")
