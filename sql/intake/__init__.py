"""From landed pages to staged frames: rows put into the received tables, and those brought into the shape that all providers share."""
