package com.example.peer;

import java.io.Serializable;
import java.util.List;
import java.util.Map;

/** A bean that holds anything, others of its kind, and itself. */
final class Node implements Serializable {
    private static final long serialVersionUID = 1;

    private String name;
    private long weight;
    private Node next;
    private List<Object> items;
    private Map<Object, Object> entries;
    private Object extra;
}
