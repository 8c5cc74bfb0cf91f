module orders

go 1.24

require (
	edge.local/sdk v0.0.0
	github.com/aws/aws-lambda-go v1.49.0
)

require (
	github.com/fxamacker/cbor/v2 v2.9.0 // indirect
	github.com/x448/float16 v0.8.4 // indirect
)

replace edge.local/sdk => ../../../sdk/go
