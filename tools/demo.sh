#!/bin/sh
# The demonstration of `make demo`: makes sample documents in FOLDER and reads them with the command,
# with progress; the German page with the German model; and draws two of the results.
# usage: demo.sh QUIRE FOLDER
set -eu
quire=$1
folder=$2
tools=$(dirname "$0")

/usr/bin/python3 "$tools/make_samples.py" --set demo "$folder/samples"
rm -rf "$folder/results"
"$quire" run -o "$folder/results" -f txt,json --progress bar "$folder/samples/two-columns.jpg" \
    "$folder/samples/receipt.jpg" "$folder/samples/skewed-scan.jpg" "$folder/samples/several-pages.tif"
"$quire" run -l deu -o "$folder/results" -f txt,json --progress bar "$folder/samples/german.png"

echo
echo "Samples (each with its true text) are in $folder/samples, results in $folder/results:"
ls "$folder/results"
echo
echo "The first lines of $folder/results/two-columns.jpg.txt:"
head -n 6 "$folder/results/two-columns.jpg.txt"
echo
for page in two-columns skewed-scan; do
    "$quire" view -o "$folder/views/$page.png" --overwrite "$folder/results/$page.jpg.json"
done
echo "What was read, drawn over the pages, to look at:"
ls "$folder"/views/*.png
echo
"$quire" eval "$folder/samples" "$folder/results"
