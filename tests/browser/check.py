"""Opens HTML files in Chromium and prints the problems of each as JSON: {"FILE": ["problem", ...]}.

Usage: check.py [--screenshots FOLDER] FILE...

Each file is opened in light and dark, at 360, 800 and 1600 pixels: no message in the console, no request except for the file and its
style sheets, nothing wider than the screen, no violation that axe finds, and Tab reaches each link with a visible outline.
"""

import argparse
import json
import pathlib

import axe_playwright_python
from playwright.sync_api import sync_playwright

CHROMIUM = "/usr/bin/chromium"
AXE = pathlib.Path(axe_playwright_python.__file__).with_name("axe.min.js")
WIDTHS = (360, 800, 1600)
SCHEMES = ("light", "dark")

# Elements beyond the right edge that no container scrolls or clips.
TOO_WIDE = """() => {
  const edge = document.documentElement.clientWidth + 1;
  const found = [];
  if (document.documentElement.scrollWidth > edge) found.push(`the document is ${document.documentElement.scrollWidth} pixels wide`);
  const isInside = (element) => {
    for (let one = element.parentElement; one; one = one.parentElement) {
      if (one.namespaceURI.endsWith('svg')) return true;
      if (getComputedStyle(one).overflowX !== 'visible') return true;
    }
    return false;
  };
  for (const element of document.body.querySelectorAll('*')) {
    const box = element.getBoundingClientRect();
    if (box.width && box.right > edge && !isInside(element)) {
      found.push(`<${element.tagName.toLowerCase()} class="${element.getAttribute('class') ?? ''}"> ends at ${Math.round(box.right)}`);
    }
  }
  return found.slice(0, 10);
}"""

# Everything that Tab must reach. A container that scrolls must have a `tabindex`.
TARGETS = """() => {
  let number = 0;
  const isShown = (element) => element.checkVisibility({visibilityProperty: true, contentVisibilityAuto: true});
  const all = document.querySelectorAll('a[href], summary, button, input, select, textarea, [tabindex="0"]');
  for (const element of all) if (isShown(element)) element.dataset.tab = number++;
  return number;
}"""
UNREACHABLE = """() => [...document.querySelectorAll('*')].filter((element) => {
  const style = getComputedStyle(element);
  const scrolls = ['auto', 'scroll'].includes(style.overflowX) && element.scrollWidth > element.clientWidth + 1;
  return scrolls && element.tabIndex < 0 && !element.querySelector('a[href], [tabindex="0"]');
}).map((element) => `<${element.tagName.toLowerCase()} class="${element.className}"> scrolls, and Tab does not reach it`).slice(0, 5)"""
FOCUS = """() => {
  const element = document.activeElement;
  if (!element || element === document.body) return null;
  const style = getComputedStyle(element);
  const has_outline = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0;
  const text = element.outerHTML.slice(0, 80);
  return {number: element.dataset.tab ?? null, visible: has_outline || style.boxShadow !== 'none', text};
}"""


def allowed(url, path):
    """True for the file itself and the style sheets of its folder and of those above it."""
    if url == path.as_uri() or url.split("#")[0] == path.as_uri() or url.startswith("data:"):
        return True
    return url.startswith("file:") and url.endswith(".css")


def keyboard(page):
    """Problems of the keyboard: elements that Tab does not reach, or that show no focus."""
    problems = page.evaluate(UNREACHABLE)
    missing = set(range(page.evaluate(TARGETS)))
    total = len(missing)
    page.evaluate("() => { document.activeElement?.blur(); window.getSelection().removeAllRanges(); }")
    for _ in range(total + 5):
        page.keyboard.press("Tab")
        focus = page.evaluate(FOCUS)
        if focus is None:
            if not missing:
                break
            continue
        if not focus["visible"]:
            problems.append(f"no visible focus: {focus['text']}")
        if focus["number"] is not None:
            missing.discard(int(focus["number"]))
    if missing:
        problems.append(f"Tab does not reach {len(missing)} of {total} elements, the first is number {min(missing)}")
    return problems


def violations(page):
    """The violations that axe finds."""
    page.evaluate(AXE.read_text())
    result = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
    return [
        f"axe: {one['id']}: {one['help']}: {len(one['nodes'])} times, {one['nodes'][0]['html'][:160]}"
        for one in result["violations"]
    ]


def check(browser, path, folder):
    """The problems of a file."""
    problems = []
    for scheme in SCHEMES:
        context = browser.new_context(color_scheme=scheme, bypass_csp=False)
        for width in WIDTHS:
            page = context.new_page()
            page.set_viewport_size({"width": width, "height": 900})
            where = f"{scheme}, {width}: "
            found = []
            page.on("console", lambda message: found.append(f"console: {message.text}"))
            page.on("pageerror", lambda error: found.append(f"error: {error}"))
            page.on("request", lambda request: allowed(request.url, path) or found.append(f"request: {request.url}"))
            page.goto(path.as_uri())
            if folder:
                page.screenshot(path=f"{folder}/{path.stem}-{width}-{scheme}.png", full_page=True)
            found += page.evaluate(TOO_WIDE)
            # The keyboard does not depend on the colors.
            if scheme == SCHEMES[0] and width != WIDTHS[1]:
                found += keyboard(page)
            found += violations(page)
            problems += [where + text for text in found]
            page.close()
        context.close()
    return problems


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--screenshots", metavar="FOLDER")
    parser.add_argument("files", nargs="+", type=pathlib.Path)
    arguments = parser.parse_args()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        result = {str(file): check(browser, file.resolve(), arguments.screenshots) for file in arguments.files}
        browser.close()
    print(json.dumps(result, indent=2, ensure_ascii=False))


main()
