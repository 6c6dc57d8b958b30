"""Sphinx configuration; the build needs no network."""

import sklearn_ddcl

project = "sklearn-ddcl"
author = "The sklearn-ddcl developers"
copyright = f"2026, {author}"
version = release = sklearn_ddcl.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.doctest",
    "sphinx.ext.mathjax",
    "matplotlib.sphinxext.plot_directive",
    "numpydoc",
]
templates_path = ["_templates"]
exclude_patterns = ["_build", "_templates"]
default_role = "literal"

autosummary_generate = True
autodoc_typehints = "none"
autodoc_default_options = {"members": True, "inherited-members": True}
# Methods are documented below their class, so a table of links is not needed.
numpydoc_show_class_members = False

plot_formats = ["png"]
plot_include_source = True
plot_html_show_formats = False
plot_html_show_source_link = False

html_theme = "pydata_sphinx_theme"
html_title = f"sklearn-ddcl {release}"
html_show_sourcelink = False
html_theme_options = {"show_nav_level": 2, "show_prev_next": False}


def skip_foreign(app, kind, name, member, skip, options):
    """Leave out what scikit-learn and torch put on every class.

    It is documented there, and refers to pages that only exist there.
    """
    home = getattr(getattr(member, "fget", member), "__module__", None) or ""
    return None if home.startswith("sklearn_ddcl") else True


def setup(app):
    app.connect("autodoc-skip-member", skip_foreign)
