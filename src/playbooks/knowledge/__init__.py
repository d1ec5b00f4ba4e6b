"""What the kit knows: data files with their sources, and small loaders.

The data files are the source of truth. Each entry says where its facts come from and how sure they are;
an entry labels, it never accuses: presence at a provider weighs zero.
"""
