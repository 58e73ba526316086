"""The pages, one file each, in menu order."""

from portal.pages import revenue

PAGES = (revenue.PAGE,)
