// Greets, with a name from the query or the path.
package main

import (
	"context"
	"strings"

	edge "edge.local/sdk"
	"edge.local/sdk/lambdacontext"
)

type greeting struct {
	Message  string `json:"message"`
	Function string `json:"function"`
	Version  string `json:"version"`
}

func hello(_ context.Context, event edge.Request) (greeting, error) {
	name := event.Query("name")
	if name == "" {
		name = strings.TrimPrefix(event.RawPath, "/")
	}
	if name == "" {
		name = "world"
	}
	return greeting{
		Message:  "Hello, " + name + "!",
		Function: lambdacontext.FunctionName,
		Version:  lambdacontext.FunctionVersion,
	}, nil
}

func main() { edge.Start(hello) }
