package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strings"
	"time"
	"unicode/utf16"

	hessian "github.com/apache/dubbo-go-hessian2"
)

// Names of slices by their elements; that of any other is empty.
var listTypes = map[reflect.Type]string{
	reflect.TypeFor[bool]():           "[boolean",
	reflect.TypeFor[int32]():          "[int",
	reflect.TypeFor[int64]():          "[long",
	reflect.TypeFor[float64]():        "[double",
	reflect.TypeFor[string]():         "[string",
	reflect.TypeFor[time.Time]():      "[date",
	reflect.TypeFor[hessian.Object](): "[object",
	reflect.TypeFor[[]int32]():        "[[int",
	reflect.TypeFor[*Node]():          "[com.example.peer.Node",
}

// What a Go value holds, as ASCII JSON: "null", or one key that names the kind. Text is the hexadecimal of its UTF-16
// units, a double that of its bits. "list" and "map" hold a type name, "object" its class and fields; "ref" is the
// number of a list, map or object that came before.
type tree struct {
	out strings.Builder
	// Numbers of what may be referred to. All empty slices are the same in Go, so none of them is.
	seen map[identity]int
	next int
}

// Slices are the same if they begin at the same place and are equally long.
type identity struct {
	kind    reflect.Kind
	address uintptr
	length  int
}

func treeOf(value any) []byte {
	tree := tree{seen: map[identity]int{}}
	tree.value(value)
	return []byte(tree.out.String())
}

func (t *tree) value(value any) {
	switch value := value.(type) {
	case nil:
		t.out.WriteString(`"null"`)
	case bool:
		t.leaf("bool", value)
	case int32:
		t.leaf("int", value)
	case int64:
		t.leaf("long", value)
	case float64:
		t.leaf("double", fmt.Sprintf("%016x", math.Float64bits(value)))
	case string:
		t.leaf("string", units(value))
	case *string:
		if value == nil {
			t.value(nil)
		} else {
			t.value(*value)
		}
	case time.Time:
		t.leaf("date", value.UnixMilli())
	case []byte:
		t.leaf("binary", hex.EncodeToString(value))
	default:
		t.container(reflect.ValueOf(value))
	}
}

func (t *tree) container(value reflect.Value) {
	// What refers to a map is a pointer to it where the map stands in a field.
	if value.Kind() == reflect.Pointer && value.Elem().Kind() == reflect.Map {
		value = value.Elem()
	}
	if value.Kind() != reflect.Slice && value.Kind() != reflect.Map && value.Kind() != reflect.Pointer {
		panic(fmt.Sprintf("no tree of a %s", value.Type()))
	}
	if value.IsNil() {
		t.value(nil)
		return
	}
	key := identity{kind: value.Kind(), address: value.Pointer()}
	if value.Kind() == reflect.Slice {
		key.length = value.Len()
	}
	if number, known := t.seen[key]; known {
		t.leaf("ref", number)
		return
	}
	if key.kind != reflect.Slice || key.length > 0 {
		t.seen[key] = t.next
	}
	t.next++
	switch key.kind {
	case reflect.Slice:
		t.list(value)
	case reflect.Map:
		t.mapOrObject(value)
	default:
		t.pointer(value)
	}
}

func (t *tree) list(list reflect.Value) {
	t.open("list", listTypes[list.Type().Elem()])
	for i := range list.Len() {
		t.separate(i)
		t.value(list.Index(i).Interface())
	}
	t.out.WriteString("]]}")
}

// A class that is not registered is decoded to a map that holds the class's name.
func (t *tree) mapOrObject(entries reflect.Value) {
	if fields, ok := entries.Interface().(map[string]any); ok {
		if class, ok := fields[hessian.ClassKey].(string); ok {
			t.unknownObject(class, fields)
			return
		}
	}
	t.open("map", "")
	for i, key := range entries.MapKeys() {
		t.separate(i)
		t.out.WriteByte('[')
		t.value(key.Interface())
		t.out.WriteByte(',')
		t.value(entries.MapIndex(key).Interface())
		t.out.WriteByte(']')
	}
	t.out.WriteString("]]}")
}

func (t *tree) unknownObject(class string, fields map[string]any) {
	t.open("object", class)
	i := 0
	for name, value := range fields {
		if name != hessian.ClassKey {
			t.separate(i)
			t.field(name, value)
			i++
		}
	}
	t.out.WriteString("]]}")
}

func (t *tree) pointer(pointer reflect.Value) {
	object, ok := pointer.Interface().(hessian.POJO)
	if !ok {
		panic(fmt.Sprintf("no tree of a %s", pointer.Type()))
	}
	t.open("object", object.JavaClassName())
	fields := pointer.Elem()
	for i := range fields.NumField() {
		t.separate(i)
		name := fields.Type().Field(i).Name
		t.field(strings.ToLower(name[:1])+name[1:], fields.Field(i).Interface())
	}
	t.out.WriteString("]]}")
}

func (t *tree) field(name string, value any) {
	t.out.WriteString(`["` + units(name) + `",`)
	t.value(value)
	t.out.WriteByte(']')
}

func (t *tree) open(kind, name string) {
	t.out.WriteString(`{"` + kind + `":["` + units(name) + `",[`)
}

func (t *tree) separate(index int) {
	if index > 0 {
		t.out.WriteByte(',')
	}
}

func (t *tree) leaf(kind string, value any) {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	t.out.WriteString(`{"` + kind + `":` + string(text) + `}`)
}

func units(text string) string {
	var units []byte
	for _, unit := range utf16.Encode([]rune(text)) {
		units = append(units, byte(unit>>8), byte(unit))
	}
	return hex.EncodeToString(units)
}
