// A guest in stock Go whose package initialisation fills a map and compiles a pattern.
package main

import (
	"encoding/json"
	"fmt"
	"regexp"
	"time"
	"unsafe"
)

var (
	kept    = map[uintptr][]byte{}
	numbers = map[string]int{}
	pattern = regexp.MustCompile(`[a-z]+\d+`)
	started = time.Now()
)

func init() {
	for number := 0; number < 10_000; number++ {
		numbers[fmt.Sprintf("key%d", number)] = number
	}
	time.Sleep(time.Millisecond)
	fmt.Println("ready")
}

func main() {}

//go:wasmexport edge_alloc
func alloc(length int32) int32 {
	buffer := make([]byte, length+1)
	pointer := uintptr(unsafe.Pointer(&buffer[0]))
	kept[pointer] = buffer
	return int32(pointer)
}

//go:wasmexport edge_handle
func handle(pointer, length int32) int64 {
	key := pattern.FindString(string(kept[uintptr(pointer)][:length]))
	answer, _ := json.Marshal(map[string]any{
		"key": key, "number": numbers[key], "size": len(numbers), "later": time.Since(started) > 0,
	})
	place := alloc(int32(len(answer)))
	copy(kept[uintptr(place)], answer)
	return int64(place)<<32 | int64(len(answer))
}
