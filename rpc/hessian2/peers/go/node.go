package main

// Node is a class that holds anything, others of its kind, and itself.
type Node struct {
	Name    *string
	Weight  int64
	Next    *Node
	Items   []interface{}
	Entries map[interface{}]interface{}
	Extra   interface{}
}

// JavaClassName is its class.
func (*Node) JavaClassName() string { return "com.example.peer.Node" }
