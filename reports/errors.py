"""The errors of writing reports.

Exception
└── ReportError            the files could not be written, or are not what they should be
    ├── LayoutError        a frame lacks what its report shows
    ├── OrderError         frames promised in key order are not
    ├── PlaceError         the folder for reports does not take them
    └── DamagedError       files differ from their manifest
"""


class ReportError(Exception):
    """The files could not be written or are not what they should be; `code` is the stable word for scripts."""

    code = "internal"


class LayoutError(ReportError):
    """A frame lacks what its report shows, or holds what no file can say."""


class OrderError(ReportError):
    """Frames that were promised in key order came in another."""


class PlaceError(ReportError):
    """Something stands in the way of the reports, or their folder cannot be written."""

    code = "cannot_write"


class DamagedError(ReportError):
    """Files differ from what their manifest says about them."""

    code = "stored_data_damaged"
