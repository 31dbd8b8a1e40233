"""Names of companies that do not exist."""

_FIRST = """
Alder Amber Anvil Apex Arbor Aspen Atlas Aurora Badger Basalt Beacon Birch Bluff Boulder Bramble
Bridge Bright Brook Cedar Cinder Clover Cobalt Copper Coral Crane Crest Cypress Dale Delta Drift
Eagle Ember Falcon Fern Fjord Flint Forge Garnet Glacier Granite Harbor Hazel Heron Indigo Iron
Ivory Juniper Kestrel Lantern Larch Laurel Linden Lotus Maple Marble Meadow Mesa Mill Moss Nimbus
Oak Ochre Onyx Orchard Osprey Otter Pearl Pine Poplar Quarry Quill Raven Reed Ridge River Rowan
Saffron Sage Sierra Slate Sparrow Spruce Sterling Stone Summit Tern Thistle Timber Umber Vale
Violet Walnut Wharf Willow Winter Wren Yarrow Zephyr
""".strip()
_SECOND = """
Analytics Apparel Bakeries Biotech Brands Builders Capital Ceramics Chemicals Clinics Coffee
Components Dental Design Diagnostics Dynamics Electric Energy Engineering Fabrics Farms Films
Finance Fisheries Foods Freight Furniture Games Gardens Glass Health Hotels Housing Industries
Instruments Insurance Interiors Labs Legal Lighting Logistics Machines Marine Markets Media Medical
Metals Mobility Motors Music Optics Outdoor Paper Partners Pharma Plastics Print Properties
Publishing Recycling Research Retail Robotics Schools Security Shipping Software Solar Sports
Studios Supply Systems Textiles Tools Tours Toys Transport Travel Tyres Veterinary Water Wind Works
""".strip()
_KINDS = ("Ltd", "Inc", "Group", "Co", "GmbH", "plc")

_FIRSTS, _SECONDS = _FIRST.split(), _SECOND.split()
MOST_NAMES = len(_FIRSTS) * len(_SECONDS) * len(_KINDS)
"""How many different names there are."""


def company_name(number: int) -> str:
    """Return the name of that number, from 0; another number has another name."""
    number, kind = divmod(number, len(_KINDS))
    first, second = divmod(number, len(_SECONDS))
    return f"{_FIRSTS[first]} {_SECONDS[second]} {_KINDS[kind]}"
