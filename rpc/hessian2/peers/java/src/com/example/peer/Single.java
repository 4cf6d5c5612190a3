package com.example.peer;

import java.io.Serializable;

/** A bean of one float. */
final class Single implements Serializable {
    private static final long serialVersionUID = 1;

    private float real;
}
