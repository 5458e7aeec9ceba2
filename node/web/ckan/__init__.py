"""The same records for programs that speak CKAN's action API, and as `data.json` of DCAT-US.

`actions` and `package` answer in CKAN's shapes; `solr` and `query` read the part of Solr's language that its clients
really send, and refuse the rest by name.
"""
