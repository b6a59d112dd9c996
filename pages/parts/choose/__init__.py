"""The left of the page Lab: data, network, strategy and their options, and what they will take."""
