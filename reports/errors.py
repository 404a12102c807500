"""What can go wrong while reports are written.

Exception
└── ReportError            the files could not be written, or are not what they should be
    ├── LayoutError        a frame lacks what its report shows
    ├── OrderError         frames promised in key order are not
    └── DamagedError       files differ from their manifest
"""


class ReportError(Exception):
    """The files could not be written or are not what they should be."""


class LayoutError(ReportError):
    """A frame lacks what its report shows, or holds what no file can say."""


class OrderError(ReportError):
    """Frames that were promised in key order came in another."""


class DamagedError(ReportError):
    """Files differ from what their manifest says about them."""
