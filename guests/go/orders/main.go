// orders: a handler written for Lambda's HTTP API, ported by its import alone: here stood
// "github.com/aws/aws-lambda-go/lambda". Its events are still those of aws-lambda-go.
package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"strings"

	"github.com/aws/aws-lambda-go/events"

	lambda "edge.local/sdk"
)

type item struct {
	Name  string `json:"name"`
	Price int    `json:"price"`
}

type order struct {
	Items    map[string]int `json:"items"`
	Customer string         `json:"customer"`
}

var (
	errNotFound = errors.New("not found")
	prices      = map[string]int{"tea": 250, "cake": 420, "milk": 90}
)

func handler(ctx context.Context, request events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
	log.Printf("%s %s", request.RequestContext.HTTP.Method, request.RawPath)
	switch method := request.RequestContext.HTTP.Method; {
	case method == http.MethodGet && strings.HasPrefix(request.RawPath, "/items/"):
		return answer(find(strings.TrimPrefix(request.RawPath, "/items/")))
	case method == http.MethodPost && request.RawPath == "/orders":
		return answer(place(request))
	default:
		return answer(nil, fmt.Errorf("%s %s: %w", method, request.RawPath, errNotFound))
	}
}

func find(name string) (any, error) {
	price, known := prices[name]
	if !known {
		return nil, fmt.Errorf("item %q: %w", name, errNotFound)
	}
	return item{name, price}, nil
}

func place(request events.APIGatewayV2HTTPRequest) (any, error) {
	body := []byte(request.Body)
	if request.IsBase64Encoded {
		decoded, err := base64.StdEncoding.DecodeString(request.Body)
		if err != nil {
			return nil, err
		}
		body = decoded
	}
	var asked order
	if err := json.Unmarshal(body, &asked); err != nil {
		return nil, err
	}
	total := 0
	for name, count := range asked.Items {
		if _, err := find(name); err != nil {
			return nil, err
		}
		total += prices[name] * count
	}
	return map[string]any{"customer": asked.Customer, "total": total}, nil
}

func answer(value any, err error) (events.APIGatewayV2HTTPResponse, error) {
	status := http.StatusOK
	if err != nil {
		value, status = map[string]string{"error": err.Error()}, http.StatusBadRequest
		if errors.Is(err, errNotFound) {
			status = http.StatusNotFound
		}
	}
	body, err := json.Marshal(value)
	return events.APIGatewayV2HTTPResponse{
		StatusCode: status,
		Headers:    map[string]string{"content-type": "application/json"},
		Body:       string(body),
	}, err
}

func main() {
	lambda.Start(handler)
}
