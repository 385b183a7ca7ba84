"""The tests are a package of their own: a dependency installs one of the same name beside the libraries."""
