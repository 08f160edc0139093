"""Data that ships inside the package; see the README.md beside this file for its origin."""
