"""Lambda's own HTTP API, so that boto3, the AWS CLI and Terraform are clients of edge.

Neighbours: `control.py` mounts what `routes.py` lists. One module per kind of operation; what comes
in is read by `inputs.py` and `settings.py`, what goes out is written by `documents.py`.
Source of the shapes: https://docs.aws.amazon.com/lambda/latest/api/API_Operations.html.
"""
