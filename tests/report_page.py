"""report_page.py - what tests/report.t reads out of a report's page, by Python's own parsers.

look FILE                       writes what there is to know of a page into three files:
  faults                        a line for each tag out of order, id used twice, or thing loaded from elsewhere
  text                          the text that a reader sees, white space as one blank
  calendar                      "day|hour|class|title" of each field of the calendars that has a block
contrast FILE                   the pairs of colours of its style that differ by less than 4.5 to 1, in the light and the dark
pixels FILE                     of a PNG: "background R G B", and the shares of pixels that are bright and that are bluish
wrap FILE WIDTH [FILE WIDTH ...]  a page that shows each FILE in a frame of that WIDTH, and says into its title how wide they came out
"""
import html.parser, re, struct, sys, zlib

VOID = {"meta", "br", "hr", "img", "link", "input"}


class Page(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.faults, self.ids, self.refs, self.text, self.scripts = [], [], [], [], [], 0
        self.cells, self.provider, self.day, self.hour, self.heading = [], "", "", 0, False
        self.feed(text)
        self.close()
        self.faults += [f"{tag} is never closed" for tag in self.open]

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if tag not in VOID:
            self.open.append(tag)
        if tag == "script" or any(name.startswith("on") for name in attributes):
            self.faults.append(f"{tag} {attrs} has a script")
        if len(attributes) != len(attrs):
            self.faults.append(f"{tag} {attrs} has an attribute twice")
        for name in ("src", "href", "xlink:href", "srcset", "action", "data"):
            if attributes.get(name, "#")[0] != "#":
                self.faults.append(f"{tag} {name}={attributes[name]} is elsewhere")
            elif name in attributes:
                self.refs.append(attributes[name][1:])
        for name in ("aria-labelledby",):
            if name in attributes:
                self.refs.append(attributes[name])
        if "id" in attributes:
            self.ids.append(attributes["id"])
        if tag == "svg" and attributes.get("aria-hidden") != "true" and not attributes.get("aria-label"):
            self.faults.append("an svg says nothing to those who can't see it")
        self.notice(tag, attributes)

    handle_startendtag = lambda self, tag, attrs: (self.handle_starttag(tag, attrs), self.handle_endtag(tag))[0]

    def notice(self, tag, attributes):
        inside = "calendar" if tag == "table" and attributes.get("class") == "calendar" else None
        if inside:
            self.in_calendar = True
        if tag == "tr":
            self.hour, self.day = 0, ""
        if tag == "td" and getattr(self, "in_calendar", False):
            if attributes["class"] != "none":
                self.cells.append((self.day, self.hour, attributes["class"], attributes["title"]))
            self.hour += 1
        self.day_comes = tag == "th" and attributes.get("scope") == "row"

    def handle_endtag(self, tag):
        if tag in VOID:
            return
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> at {self.getpos()} closes what is not open")
        if tag == "table":
            self.in_calendar = False

    def handle_data(self, data):
        if getattr(self, "day_comes", False):
            self.day, self.day_comes = data, False
        if self.open and self.open[-1] not in ("style", "title"):
            self.text.append(data)


def check(page, text):
    for i in page.ids:
        if page.ids.count(i) > 1:
            page.faults.append(f"id {i} is there twice")
    page.faults += [f"#{r} is nowhere" for r in set(page.refs) - set(page.ids)]
    style = re.search(r"<style>(.*?)</style>", text, re.S).group(1)
    if re.search(r"url\(|@import", style):
        page.faults.append("the style loads something")
    if not text.startswith("<!DOCTYPE html>"):
        page.faults.append("no doctype")
    return page.faults


def look(text):
    page = Page(text)
    faults = check(page, text)
    for name, lines in ("faults", faults), ("text", [" ".join("".join(page.text).split())]), ("calendar", ["|".join(map(str, c)) for c in page.cells]):
        with open(name, "w", encoding="utf-8") as file:
            file.writelines(line + "\n" for line in lines)


def luminance(colour):
    if len(colour) == 4:
        colour = "#" + "".join(c * 2 for c in colour[1:])
    parts = [int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = [p / 12.92 if p <= .03928 else ((p + .055) / 1.055) ** 2.4 for p in parts]
    return .2126 * r + .7152 * g + .0722 * b


def ratio(a, b):
    low, high = sorted((luminance(a), luminance(b)))
    return (high + .05) / (low + .05)


def contrast(text):
    modes = [dict(re.findall(r"(--[\w-]+):\s*(#\w+)", block)) for block in re.findall(r":root \{(.*?)\}", text, re.S)[:2]]
    pairs = [("ink", "page"), ("ink", "card"), ("ink2", "page"), ("ink2", "card"), ("ink2", "plain-bg"), ("bad", "card"), ("good", "page"),
             ("bad", "bad-bg"), ("good", "good-bg"), ("warn", "warn-bg"), ("going", "going-bg")]
    bad = 0
    assert len(modes) == 2 and modes[0]["--page"] != modes[1]["--page"]
    for mode in modes:
        for ink, ground in pairs:
            if ratio(mode["--" + ink], mode["--" + ground]) < 4.5:
                bad = 1
                print(f"{ink} on {ground}: {ratio(mode['--' + ink], mode['--' + ground]):.2f}")
        for mark in ("c1", "c2", "c3"):  # marks, not text
            if ratio(mode["--" + mark], mode["--card"]) < 2.7:
                bad = 1
                print(f"{mark} on card: {ratio(mode['--' + mark], mode['--card']):.2f}")
    for rule in re.findall(r"background: (#\w+); color: (#\w+)", text):
        if ratio(*rule) < 4.5:
            bad = 1
            print(*rule, f"{ratio(*rule):.2f}")
    return bad


def png(path):
    data = open(path, "rb").read()
    at, packed = 8, b""
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + length]
        if kind == b"IHDR":
            width, height, depth, colour = struct.unpack(">IIBB", body[:10])
        elif kind == b"IDAT":
            packed += body
        at += 12 + length
    assert depth == 8 and colour in (2, 6)
    n = 3 if colour == 2 else 4
    raw, size, before = zlib.decompress(packed), width * n, bytes(width * n)
    even = int.from_bytes(b"\0\xff" * (size // 2 + 1), "big")
    for y in range(height):
        kind, line = raw[y * (size + 1)], bytearray(raw[y * (size + 1) + 1:(y + 1) * (size + 1)])
        if kind == 2:  # all bytes at once, as two numbers whose bytes cannot carry into each other
            a, b = int.from_bytes(line, "big"), int.from_bytes(before, "big")
            line = ((a & even) + (b & even) & even | ((a >> 8 & even) + (b >> 8 & even) & even) << 8).to_bytes(size + 2, "big")[2:]
        elif kind == 1:
            for i in range(n, size):
                line[i] = line[i] + line[i - n] & 255
        elif kind == 3:
            for i in range(size):
                line[i] = line[i] + ((line[i - n] if i >= n else 0) + before[i]) // 2 & 255
        elif kind == 4:
            for i in range(size):
                left, up, corner = (line[i - n], before[i], before[i - n]) if i >= n else (0, before[i], 0)
                if up == corner:
                    line[i] = line[i] + left & 255
                elif left == corner:
                    line[i] = line[i] + up & 255
                else:
                    p = left + up - corner
                    line[i] = line[i] + min((abs(p - left), 0, left), (abs(p - up), 1, up), (abs(p - corner), 2, corner))[2] & 255
        before = bytes(line)
        yield n, before


def pixels(path):
    seen = bright = blue = 0
    for y, (n, line) in enumerate(png(path)):
        if y == 2:
            print("background", *line[2 * n:2 * n + 3])
        if y % 3 == 0:
            for r, g, b in zip(line[::3 * n], line[1::3 * n], line[2::3 * n]):
                seen += 1
                bright += min(r, g, b) > 200
                blue += b > 180 and b > r + 60
    print("bright", round(100 * bright / seen), "blue", blue)


def wrap(pages):
    print("""<!DOCTYPE html><title>waiting</title>
<script>
function show(text, width) {
  const frame = document.createElement("iframe");
  frame.style = `width:${width}px;height:900px;border:0`;
  frame.addEventListener("load", () => {
    const page = frame.contentDocument, root = page.documentElement, shown = s => [...page.querySelectorAll(s)].filter(e => e.getClientRects().length > 0);
    frame.said = `width ${root.scrollWidth} of ${width}, scripts ${page.scripts.length}, charts ${shown("svg.chart").length}, `
      + `out ${shown("body *").filter(e => !e.closest(".wide") && e.getBoundingClientRect().right > width + 1).length}, `
      + `wide ${shown(".wide").filter(e => e.scrollWidth > e.clientWidth).length}, `
      + `smallest ${Math.round(Math.min(...shown("svg.chart text").filter(e => e.textContent.trim()).map(e => e.getBoundingClientRect().height)))}`;
    document.title = [...document.querySelectorAll("iframe")].map(f => f.said || "waiting").join("; ");
  });
  frame.srcdoc = text;
  document.body.append(frame);
}
</script><body><script>""")
    for path, width in zip(pages[::2], pages[1::2]):
        print(f"show({repr_js(open(path, encoding='utf-8').read())}, {width});")
    print("</script>")


def repr_js(text):
    import json
    return json.dumps(text).replace("<", "\\u003c")


def main():
    command, path = sys.argv[1:3]
    if command == "pixels":
        return pixels(path)
    if command == "wrap":
        return wrap(sys.argv[2:])
    text = open(path, encoding="utf-8").read()
    if command == "look":
        return look(text)
    if command == "contrast":
        return contrast(text)


sys.exit(main())
