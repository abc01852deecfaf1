"""The web pages behind the links in the letters (Starlette): an entry point, like scripts."""
