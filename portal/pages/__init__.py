"""The pages, one file each, in menu order."""

from portal.pages import data, home, pipelines, revenue, sql

OTHERS = (revenue.PAGE, sql.PAGE, pipelines.PAGE, data.PAGE)
"""The pages that Home names, as far as somebody may open them."""
PAGES = (home.page(OTHERS), *OTHERS)
