// Reads Hessian values from standard input and answers each on standard output, until the input ends.
//
// A request is the length of a value (4 bytes, big endian) and the value. The answer is its length (4 bytes), then 0,
// the length of a tree (4 bytes; see tree.go), the tree, and the value as dubbo-go-hessian2 writes it; or 1 and the
// error, which may be what it panicked with.
package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log"
	"os"

	hessian "github.com/apache/dubbo-go-hessian2"
)

// An int that stands behind each value, to see that reading has ended where the value ends.
const endValue int32 = 0x7e57ab1e

var end = []byte{'I', 0x7e, 0x57, 0xab, 0x1e}

func main() {
	hessian.RegisterPOJO(&Node{})
	in := bufio.NewReaderSize(os.Stdin, 1<<16)
	out := bufio.NewWriterSize(os.Stdout, 1<<16)
	for {
		if in.Buffered() == 0 {
			check(out.Flush())
		}
		var length uint32
		err := binary.Read(in, binary.BigEndian, &length)
		if errors.Is(err, io.EOF) {
			return
		}
		check(err)
		request := make([]byte, length)
		_, err = io.ReadFull(in, request)
		check(err)
		answer := answer(request)
		check(binary.Write(out, binary.BigEndian, uint32(len(answer))))
		_, err = out.Write(answer)
		check(err)
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func answer(request []byte) []byte {
	tree, again, err := decodeAndEncode(request)
	if err != nil {
		return append([]byte{1}, err.Error()...)
	}
	answer := binary.BigEndian.AppendUint32([]byte{0}, uint32(len(tree)))
	return append(append(answer, tree...), again...)
}

func decodeAndEncode(request []byte) (tree, again []byte, err error) {
	defer func() {
		if panicked := recover(); panicked != nil {
			err = fmt.Errorf("panic: %v", panicked)
		}
	}()
	decoder := hessian.NewDecoder(append(request, end...))
	value, err := decoder.Decode()
	if err != nil {
		return nil, nil, err
	}
	tree = treeOf(value)
	behind, err := decoder.Decode()
	if err != nil {
		return nil, nil, err
	}
	if behind != endValue {
		return nil, nil, fmt.Errorf("the value ends elsewhere: behind it came %v", behind)
	}
	encoder := hessian.NewEncoder()
	if err := encoder.Encode(value); err != nil {
		return nil, nil, err
	}
	return tree, encoder.Buffer(), nil
}
