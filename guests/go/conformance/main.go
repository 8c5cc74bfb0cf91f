// The conformance guest: does what tests/languages/cases.py asks of every language.
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"os"
	"strings"
	"time"

	edge "edge.local/sdk"
	"edge.local/sdk/lambdacontext"
)

type event struct {
	edge.Request
	Case    string   `json:"case"`
	Value   any      `json:"value"`
	Message string   `json:"message"`
	URL     string   `json:"url"`
	MS      int64    `json:"ms"`
	Name    string   `json:"name"`
	Pieces  []string `json:"pieces"`
}

func answer(ctx context.Context, event event) (any, error) {
	switch event.Case {
	case "echo":
		return event.Value, nil
	case "error":
		return nil, edge.NewError("TeapotError", event.Message)
	case "context":
		return describe(ctx), nil
	case "log":
		return nil, writeLog()
	case "kv":
		return useKV()
	case "kv.get":
		_, err := edge.Store{}.Get("key", new(any))
		return code(err), nil
	case "fetch":
		return fetch(ctx, event), nil
	case "stream":
		return nil, stream(event)
	case "stream.response":
		return &edge.StreamingResponse{
			StatusCode: 202,
			Headers:    map[string]string{"x-kind": "read"},
			Cookies:    []string{"a=1"},
			Body:       strings.NewReader(event.Message),
		}, nil
	case "stream.reader":
		return integration{strings.NewReader(prelude + event.Message)}, nil
	case "sleep":
		began := time.Now()
		time.Sleep(time.Duration(event.MS) * time.Millisecond)
		return time.Since(began).Milliseconds(), nil
	case "environment":
		if value, found := os.LookupEnv(event.Name); found {
			return value, nil
		}
		return nil, nil
	case "random":
		drawn := make([]byte, 16)
		_, err := rand.Read(drawn)
		return drawn, err
	}
	return respond(event)
}

func code(err error) any {
	var refused *edge.HostError
	if errors.As(err, &refused) {
		return refused.Code
	}
	return nil
}

func describe(ctx context.Context) map[string]any {
	request, _ := lambdacontext.FromContext(ctx)
	deadline, _ := ctx.Deadline()
	description := map[string]any{
		"requestId":          request.AwsRequestID,
		"functionName":       lambdacontext.FunctionName,
		"functionVersion":    lambdacontext.FunctionVersion,
		"invokedFunctionArn": request.InvokedFunctionArn,
		"memoryLimitMb":      lambdacontext.MemoryLimitInMB,
		"deadlineMs":         deadline.UnixMilli(),
		"remainingMs":        time.Until(deadline).Milliseconds(),
		"traceparent":        nil,
		"clientContext":      request.ClientContext,
	}
	if request.Traceparent != "" {
		description["traceparent"] = request.Traceparent
	}
	return description
}

func writeLog() error {
	for level, name := range []string{"trace", "debug", "info", "warn", "error"} {
		edge.Logf(edge.Level(level), "%s %d", name, level)
	}
	return nil
}

func useKV() (any, error) {
	store := edge.Store{}
	var first string
	var second []byte
	absent, err := store.Get("k", &first)
	if err != nil {
		return nil, err
	}
	created, _ := store.Swap("k", "one", 0)
	_, taken := store.Swap("k", "two", 0)
	store.Get("k", &first)
	swapped, _ := store.Swap("k", []byte{0, 255}, created)
	_, stale := store.Swap("k", "three", created)
	store.Get("k", &second)
	store.Increment("n", 5)
	sum, _ := store.Increment("n", -2)
	page, _ := store.List("", "", 0)
	keys := []string{}
	for _, entry := range page.Entries {
		keys = append(keys, entry.Key)
	}
	deleted, _ := store.Delete("k")
	again, err := store.Delete("k")
	return map[string]any{
		"absent":  absent == 0,
		"taken":   code(taken),
		"first":   first,
		"grows":   swapped > created,
		"stale":   code(stale),
		"second":  second,
		"sum":     sum,
		"keys":    keys,
		"deleted": deleted,
		"again":   again,
	}, err
}

func fetch(ctx context.Context, event event) any {
	answer, err := edge.Fetch(ctx, edge.FetchRequest{
		URL: event.URL, Method: "POST", Headers: map[string]string{"x-ask": "why"}, Body: []byte(event.RawBody),
	})
	if err != nil {
		return code(err)
	}
	return map[string]any{
		"status": answer.Status, "header": answer.Headers["x-kind"], "body": answer.Body,
	}
}

// integration is a body as aws-lambda-go's LambdaFunctionURLStreamingResponse is one.
type integration struct{ io.Reader }

func (integration) ContentType() string {
	return "application/vnd.awslambda.http-integration-response"
}

const prelude = `{"statusCode":202,"headers":{"x-kind":"read"},"cookies":["a=1"]}` +
	"\x00\x00\x00\x00\x00\x00\x00\x00"

func stream(event event) error {
	writer, err := edge.StartResponse(edge.Response{
		StatusCode: 201,
		Headers:    map[string]string{"content-type": "text/event-stream", "x-kind": "streamed"},
		Cookies:    []string{"a=1"},
	})
	for _, piece := range event.Pieces {
		if err == nil {
			_, err = writer.Write([]byte(piece))
		}
		time.Sleep(30 * time.Millisecond)
	}
	if event.Message != "" {
		return edge.NewError("TeapotError", event.Message)
	}
	return err
}

// respond sends an HTTP request's body, header, query and cookies back.
func respond(event event) (edge.Response, error) {
	body, err := event.Body()
	response := edge.Bytes(201, "application/octet-stream", body)
	response.Headers["x-answer"] = event.Header("x-ask")
	response.Headers["x-query"] = event.Query("q")
	for _, cookie := range event.Cookies {
		response.Cookies = append(response.Cookies, cookie+"; HttpOnly")
	}
	return response, err
}

func main() { edge.Start(answer) }
