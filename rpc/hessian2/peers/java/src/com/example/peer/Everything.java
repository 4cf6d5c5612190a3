package com.example.peer;

import java.io.Serializable;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** A bean with a field of every kind. */
final class Everything implements Serializable {
    private static final long serialVersionUID = 1;

    private boolean flag;
    private byte octet;
    private short small;
    private int number;
    private long big;
    private double precise;
    private char letter;
    private String text;
    private Boolean maybeFlag;
    private Short maybeSmall;
    private Integer maybeNumber;
    private Long maybeBig;
    private Float maybeReal;
    private Double maybePrecise;
    private Character maybeLetter;
    private byte[] bytes;
    private Date date;
    private int[] numbers;
    private String[] texts;
    private List<Long> list;
    private Set<String> set;
    private Map<Integer, byte[]> map;
    private Color color;
    private Part part;
    private List<Part> parts;
    private Object any;
}
