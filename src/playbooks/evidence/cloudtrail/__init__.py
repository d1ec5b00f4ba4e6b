"""CloudTrail's own integrity record, checked offline: digest files, log files they name, keys that sign them."""
