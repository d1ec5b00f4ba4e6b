"""All that is known of one value: told by its shape, looked up in everything that a case holds."""

from playbooks.lookup.address_facts import address_facts
from playbooks.lookup.name_facts import brands_of, name_facts
from playbooks.lookup.value_facts import Fact, Known, as_frame, facts_of
from playbooks.lookup.values import Value, read_value

__all__ = ["Fact", "Known", "Value", "address_facts", "as_frame", "brands_of", "facts_of", "name_facts", "read_value"]
