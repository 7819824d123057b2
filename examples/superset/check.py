"""Drives the dashboard in headless Chromium and checks what a person sees there.

    check.py PICTURE

examples/superset/run --check calls it with DEMO_URL, DEMO_PASSWORD and the
connection of the demo database in the environment.  Each chart is pointed at
twice, at its history and at its forecast: the tip that Superset shows must have
the numbers that SQL gives for that time.  The band must be painted on the side of
the forecast, and nowhere else.  Ends with "superset: N passed, M failed".
"""
import os
import re
import sys
import time

import psycopg2
from selenium import webdriver
from selenium.webdriver import ActionChains
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.actions.action_builder import ActionBuilder
from selenium.webdriver.common.by import By

WAIT = 180  # seconds for a page, on a slow machine

OUTLOOK = """SELECT local_ts, actual, forecast, lower, upper
FROM rnn_forecast_query('SELECT {time}, {value} FROM {table}', {horizon}, history => {history})
WHERE local_ts = %s"""
GRAIN = OUTLOOK.format(
    time="date_trunc(''{0}'', ts)", value="sum(rides)", horizon=10, history=50,
    table="taxi WHERE ts < date_trunc(''{0}'', localtimestamp) GROUP BY 1")

# Title of a chart, its metric, and SQL for what it must show at a time.
CHARTS = [
    ("Taxi rides by half hours, and a day ahead", "rides",
     "SELECT ts, rides, rides__yhat, rides__yhat_lower, rides__yhat_upper FROM taxi_outlook WHERE ts = %s"),
    ("Rides by days", "rides", GRAIN.format("day")),
    ("Rides by weeks", "rides", GRAIN.format("week")),
    ("Airline passengers", "passengers",
     OUTLOOK.format(time="month", value="passengers", table="air", horizon=24, history=60)),
]

# The band is one colour, half transparent: the commonest such in the right
# third of a canvas.  Its share of that third's pixels, and of the left third's.
PAINTED = """
const canvas = arguments[0], third = Math.floor(canvas.width / 3);
function colours(left) {
    const p = canvas.getContext('2d').getImageData(left, 0, third, canvas.height).data, count = {};
    for (let i = 0; i < p.length; i += 4)
        if (p[i + 3] > 0 && p[i + 3] < 128 && p[i] + p[i + 1] + p[i + 2] > 0) {
            const colour = p.slice(i, i + 4).join();
            count[colour] = (count[colour] || 0) + 1 / (third * canvas.height);
        }
    return count;
}
const history = colours(0), forecast = colours(canvas.width - third);
const band = Object.keys(forecast).sort((a, b) => forecast[b] - forecast[a])[0];
return band ? [forecast[band], history[band] || 0] : [0, 0];"""

passed = failed = 0


def check(what, good, seen=""):
    global passed, failed
    if good:
        passed += 1
        print("ok   ", what)
    else:
        failed += 1
        print("FAILED", what, seen)


def wait_for(what, look):
    """Returns what look() returns as soon as that is true; ends the test if it never is."""
    end = time.time() + WAIT
    while time.time() < end:
        found = look()
        if found:
            return found
        time.sleep(0.5)
    raise SystemExit(f"superset: no {what} after {WAIT} s")


def browser(directory):
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for flag in ("headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run",
                 "disable-background-networking", "disable-component-update", "disable-sync",
                 "disable-dev-shm-usage", "window-size=1200,790", f"user-data-dir={directory}"):
        options.add_argument("--" + flag)
    driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
    driver.set_page_load_timeout(WAIT)
    return driver


def log_in(driver, url, password):
    driver.get(url + "/login/")
    name = wait_for("login form", lambda: driver.find_elements(By.CSS_SELECTOR, "#username, [name=username]"))[0]
    name.send_keys("admin")
    driver.find_element(By.CSS_SELECTOR, "#password, [name=password]").send_keys(password)
    driver.find_element(By.CSS_SELECTOR, "button[type=submit], input[type=submit]").click()
    wait_for("page behind the login", lambda: "/login" not in driver.current_url)


def canvas_of(driver, title):
    """The canvas of the chart with this title, once it is there."""
    for holder in driver.find_elements(By.CSS_SELECTOR, ".dashboard-component-chart-holder"):
        if title in holder.text:
            return next(iter(holder.find_elements(By.TAG_NAME, "canvas")), None)
    return None


def tips(driver):
    return [box for box in driver.find_elements(By.CSS_SELECTOR, ".echarts-tooltip") if box.is_displayed()]


def leave(driver):
    """Takes the mouse off the charts, and waits until the last tip has gone."""
    actions = ActionBuilder(driver)
    actions.pointer_action.move_to_location(2, 2)
    actions.perform()
    wait_for("end of a tip", lambda: not tips(driver))


def tip(driver, canvas, where):
    """The tip at a share of the canvas's width: its time, and the text of its row."""
    leave(driver)
    ActionChains(driver).move_to_element_with_offset(
        canvas, int(canvas.size["width"] * (where - 0.5)), 0).perform()

    def look():
        for box in tips(driver):
            lines = box.text.split("\n")
            if re.match(r"\d{4}-\d\d-\d\d", lines[0]):
                return lines[0], " ".join(lines[1:]).replace("\t", " ")
        return None
    return wait_for("tip of a chart", look)


def row(database, sql, when):
    with database.cursor() as cursor:
        cursor.execute(sql, (when,))
        return cursor.fetchone()


def whole(number):
    return f"{number:,.0f}"


def check_chart(driver, database, title, metric, sql):
    canvas = wait_for(f'chart "{title}"', lambda: canvas_of(driver, title))
    time.sleep(3)  # the drawing is animated
    after, before = driver.execute_script(PAINTED, canvas)
    check(f"{title}: the band is painted beside the forecast", after > 0.02, after)
    check(f"{title}: and not beside the history", before == 0, before)

    when, text = tip(driver, canvas, 0.3)
    _, actual, *_ = row(database, sql, when)
    check(f"{title}: history of {when}", actual is not None and text == f"{metric} {whole(actual)}", text)

    when, text = tip(driver, canvas, 0.93)
    _, actual, forecast, lower, upper = row(database, sql, when)
    expected = f"{metric} ŷ = {whole(forecast)} ({whole(lower)}, {whole(upper)})"
    check(f"{title}: forecast of {when}", actual is None and text == expected, f"{text}, not {expected}")


def main(picture):
    url = os.environ["DEMO_URL"]
    database = psycopg2.connect("")
    database.autocommit = True
    driver = browser(os.path.join(os.path.dirname(picture), "chromium"))
    try:
        log_in(driver, url, os.environ["DEMO_PASSWORD"])
        driver.get(url + "/superset/dashboard/forecasts/?standalone=2")
        for chart in CHARTS:
            check_chart(driver, database, *chart)
        leave(driver)
        driver.save_screenshot(picture)
    finally:
        driver.quit()
    print(f"superset: {passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
