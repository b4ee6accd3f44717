"""Many files on many cores and machines, with Ray (extra ``cluster``). Nothing else imports this package."""
