package edge

import (
	"context"
	"iter"
	"reflect"
)

// What is done here is done at deploy, before the snapshot, so that no request has to: the codec
// learns the types, the allocator fills its caches, and a stack grows.

const (
	warmings     = 3
	sampleDepth  = 8
	stackBytes   = 64 << 10
	growthFrames = stackBytes / 1024
)

// next runs one event on the coroutine that has run all before it. Each call of an export has a
// goroutine of its own, whose stack would be copied several times as it grows.
var (
	next    func() ([]byte, bool)
	asked   []byte
	warming bool // then nothing is sent
)

// onWorker answers an event on the worker's stack.
func onWorker(message []byte) []byte {
	if next == nil {
		next, _ = iter.Pull(work)
	}
	asked = message
	result, _ := next()
	return result
}

func work(yield func([]byte) bool) {
	growStack(growthFrames)
	for yield(answer(asked)) {
	}
}

//go:noinline
func growStack(frames int) byte {
	var frame [1024]byte
	if frames > 0 {
		frame[frames%len(frame)] = growStack(frames - 1)
	}
	return frame[0]
}

// warm answers sample events without the handler, on the way that real ones take.
func warm[T, R any]() {
	var value R
	fill(reflect.ValueOf(&value).Elem(), sampleDepth)
	invoke = around(func(context.Context, T) (R, error) { return value, nil })
	var request envelope[T]
	fill(reflect.ValueOf(&request).Elem(), sampleDepth)
	message, err := encoding.Marshal(&request)
	if err != nil { // of a type that only its own methods can make
		return
	}
	warming = true
	for range warmings {
		_ = onWorker(message)
	}
	warming = false
}

// fill gives a value something of everything its type can hold, down to a depth.
func fill(value reflect.Value, depth int) {
	if depth == 0 || !value.CanSet() {
		return
	}
	switch value.Kind() {
	case reflect.Bool:
		value.SetBool(true)
	case reflect.String:
		value.SetString("-")
	case reflect.Pointer:
		value.Set(reflect.New(value.Type().Elem()))
		fill(value.Elem(), depth-1)
	case reflect.Slice:
		value.Set(reflect.MakeSlice(value.Type(), 1, 1))
		fill(value.Index(0), depth-1)
	case reflect.Map:
		key, item := reflect.New(value.Type().Key()).Elem(), reflect.New(value.Type().Elem()).Elem()
		fill(key, depth-1)
		fill(item, depth-1)
		value.Set(reflect.MakeMap(value.Type()))
		value.SetMapIndex(key, item)
	case reflect.Struct:
		for index := range value.NumField() {
			fill(value.Field(index), depth-1)
		}
	case reflect.Interface:
		if value.NumMethod() == 0 {
			value.Set(reflect.ValueOf(map[string]any{"-": []any{"-", 1, 0.5, true, nil}}))
		}
	}
}
