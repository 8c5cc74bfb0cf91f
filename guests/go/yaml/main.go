// yaml: a YAML document as JSON, which is what a value of a function is over HTTP.
//
//	curl --data-binary @compose.yaml localhost:8080/go-yaml
package main

import (
	"context"

	edge "edge.local/sdk"
	"github.com/goccy/go-yaml"
)

func convert(_ context.Context, event edge.Request) (any, error) {
	body, err := event.Body()
	if err != nil {
		return nil, err
	}
	var document any
	if err := yaml.Unmarshal(body, &document); err != nil {
		response := edge.Text(422, yaml.FormatError(err, false, true)+"\n")
		return response, nil
	}
	return document, nil
}

func main() { edge.Start(convert) }
