"""What is ours: entries of `case.yaml`, and entries that its inventory files hold.

One module per source of files (`terraform`, `aws`, `azure`, `gcp`, `cloudflare`), each a table of layouts; `files`
opens them, `layouts` reads them.
"""

from playbooks.inventory.entry import InventoryFile, Listed, Owned
from playbooks.inventory.files import inventory_paths, read_inventory_files

__all__ = ["InventoryFile", "Listed", "Owned", "inventory_paths", "read_inventory_files"]
