"""From landed pages to staged frames: rows parsed into the received tables, and those brought into the shape that all providers share."""
