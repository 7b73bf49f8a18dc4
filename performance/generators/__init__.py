"""Programs of their own that put load on a target; they know no Django and write only into their folder."""
