"""Results as files and messages: plain records, mask codes, COCO, YOLO, CSV, encoded pictures."""

from vision.encoding.coco import CocoPicture, coco_dataset
from vision.encoding.csv import records_to_csv
from vision.encoding.images import encode_jpeg, encode_png
from vision.encoding.masks import Rle, masks_to_rle, rle_area, rle_to_polygons
from vision.encoding.records import ObjectRecord, records_from_detections
from vision.encoding.yolo import yolo_classes, yolo_labels

__all__ = [
    "CocoPicture",
    "ObjectRecord",
    "Rle",
    "coco_dataset",
    "encode_jpeg",
    "encode_png",
    "masks_to_rle",
    "records_from_detections",
    "records_to_csv",
    "rle_area",
    "rle_to_polygons",
    "yolo_classes",
    "yolo_labels",
]
