package com.example.peer;

import java.io.Serializable;

/** A bean inside of others. */
class Part implements Serializable {
    private static final long serialVersionUID = 1;

    private String name;
    private Part next;
    private double weight;
}
