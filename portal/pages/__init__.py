"""The pages, one file each, in menu order."""

from portal.pages import revenue, sql

PAGES = (revenue.PAGE, sql.PAGE)
